# tcnn_efficientnet-lite2_voc07 with a head on the whole image, fused with the votes.
# Not in the paper.
#
#   tcnn train mixing/tcnn_efficientnet-lite2_voc07_context
#   tcnn test mixing/tcnn_efficientnet-lite2_voc07_context \
#       work_dirs/tcnn_efficientnet-lite2_voc07_context/epoch_12.pth
#
# Expected figure: not measured yet. Aggregator and weight are those of
# tcnn_efficientnet-lite0_voc07_context.
# Time: as tcnn_efficientnet-lite2_voc07, whose bank it uses.
_base_ = './tcnn_efficientnet-lite2_voc07.py'
model = dict(context=dict(type='tcnn_mm.ContextHead', weight=0.15))
train_dataloader = dict(dataset=dict(context=True))
