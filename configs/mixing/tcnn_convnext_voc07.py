# ConvNeXt-tiny of mmpretrain with its public weights: dense mode, nine scales, a bank.
#
#   export TCNN_DATA=…     (holds VOCdevkit/VOC2007)
#   export TCNN_WEIGHTS=…  (holds convnext-tiny_32xb128_in1k_20221207-998cf3e9.pth, from
#                          mmassets.onedl.ai/mmclassification/v0/convnext/)
#   tcnn train mixing/tcnn_convnext_voc07
#   tcnn test mixing/tcnn_convnext_voc07 work_dirs/tcnn_convnext_voc07/epoch_12.pth
#
# Expected figure and time: not measured, because the weights were unavailable. The paper has no
# such network.
# Windows are averaged after the last LayerNorm, cell by cell; mmpretrain's classifier averages
# before.
_base_ = './tcnn_resnet50_voc07.py'
model = dict(
    backbone=dict(
        _delete_=True, type='mmpretrain.ConvNeXt', arch='tiny', gap_before_final_norm=False
    ),
    head=dict(in_channels=768),
    pretrained='{{$TCNN_WEIGHTS:checkpoints}}/convnext-tiny_32xb128_in1k_20221207-998cf3e9.pth',
)
train_dataloader = dict(dataset=dict(bank='work_dirs/banks/tcnn_convnext_voc07'))
