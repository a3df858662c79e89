# ResNet-50 of mmpretrain with its public weights: dense mode, nine scales, a bank.
#
#   export TCNN_DATA=…     (holds VOCdevkit/VOC2007)
#   export TCNN_WEIGHTS=…  (holds resnet50_8xb32_in1k_20210831-ea4938fc.pth, from
#                          mmassets.onedl.ai/mmclassification/v0/resnet/)
#   tcnn train mixing/tcnn_resnet50_voc07
#   tcnn test mixing/tcnn_resnet50_voc07 work_dirs/tcnn_resnet50_voc07/epoch_12.pth
#
# Expected figure and time: not measured, because the weights were unavailable. The paper has no
# such network.
# In dense mode one of its cells sees 427 pixels, a patch has 224: see docs/mixing.md.
_base_ = [
    '../_base_/models/tcnn_pooled.py',
    '../_base_/datasets/voc07_bank.py',
    '../_base_/schedules/three_stages.py',
    '../_base_/default_runtime.py',
]
model = dict(
    backbone=dict(type='mmpretrain.ResNet', depth=50),
    preprocessing=dict(
        size=224, mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375), channel_order='rgb'
    ),
    head=dict(in_channels=2048),
    pretrained='{{$TCNN_WEIGHTS:checkpoints}}/resnet50_8xb32_in1k_20210831-ea4938fc.pth',
)
train_dataloader = dict(dataset=dict(bank='work_dirs/banks/tcnn_resnet50_voc07'))
train_cfg = dict(max_epochs=12)
param_scheduler = dict(milestones=[8, 11])
