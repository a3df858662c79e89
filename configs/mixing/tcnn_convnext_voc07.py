# ConvNeXt-tiny of mmpretrain with its zoo weights: dense mode, nine scales, a bank.
#
#   export TCNN_DATA=…     (holds VOCdevkit/VOC2007)
#   export TCNN_WEIGHTS=…  (holds convnext-tiny_32xb128_in1k_20221207-998cf3e9.pth, from the zoo
#                          of mmpretrain: mmassets.onedl.ai/mmclassification/v0/convnext/)
#   python tools/train.py configs/mixing/tcnn_convnext_voc07.py
#   python tools/test.py configs/mixing/tcnn_convnext_voc07.py \
#       work_dirs/tcnn_convnext_voc07/epoch_12.pth
#
# Our figure and time: not measured, the weights were not at hand. Paper: no such network.
# Windows are averaged after the last LayerNorm, cell by cell; the zoo's classifier averages before.
_base_ = './tcnn_resnet50_voc07.py'
model = dict(
    backbone=dict(
        _delete_=True, type='mmpretrain.ConvNeXt', arch='tiny', gap_before_final_norm=False
    ),
    head=dict(in_channels=768),
    pretrained='{{$TCNN_WEIGHTS:checkpoints}}/convnext-tiny_32xb128_in1k_20221207-998cf3e9.pth',
)
train_dataloader = dict(dataset=dict(bank='work_dirs/banks/tcnn_convnext_voc07'))
