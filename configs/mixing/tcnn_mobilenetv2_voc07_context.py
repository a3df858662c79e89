# tcnn_mobilenetv2_voc07 with the whole picture's own head fused with the votes (not in the paper).
#
#   python tools/train.py configs/mixing/tcnn_mobilenetv2_voc07_context.py
#   python tools/test.py configs/mixing/tcnn_mobilenetv2_voc07_context.py \
#       work_dirs/tcnn_mobilenetv2_voc07_context/epoch_12.pth
#
# The bank is that of tcnn_mobilenetv2_voc07. The votes alone: --cfg-options model.context.weight=0
_base_ = './tcnn_mobilenetv2_voc07.py'
model = dict(context=dict(type='tcnn_mm.ContextHead'))
train_dataloader = dict(dataset=dict(context=True))
