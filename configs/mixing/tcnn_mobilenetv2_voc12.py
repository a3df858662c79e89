# MobileNetV2 (torchvision's, ImageNet) on VOC 2012, train → val: dense mode, nine scales, a bank.
#
#   export TCNN_DATA=…     (holds VOCdevkit/VOC2012)
#   export TCNN_WEIGHTS=…  (holds mobilenet_v2_tf2_int8deq_imagenet.pth)
#   tcnn train mixing/tcnn_mobilenetv2_voc12
#   tcnn test mixing/tcnn_mobilenetv2_voc12 work_dirs/tcnn_mobilenetv2_voc12/epoch_12.pth
#
# With --server, as in tcnn_voc12: comp2.
# Expected on a subset of 250 train → 250 val images (not the benchmark; docs/voc.md has its ids):
# voc10 AP, mean of cat, cow, dog, horse, person, sheep 91.0 (90.9–91.3, 3 seeds); pointing AP 88.1
# (one seed). The paper has no such network.
# Time on one CPU core: bank and test some 4 minutes each, head 1.5.
_base_ = [
    '../_base_/models/tcnn_mobilenetv2.py',
    '../_base_/datasets/voc12_bank.py',
    '../_base_/schedules/three_stages.py',
    '../_base_/default_runtime.py',
]
train_dataloader = dict(dataset=dict(bank='work_dirs/banks/tcnn_mobilenetv2_voc12'))
server = dict(
    train_dataloader=dict(dataset=dict(bank='work_dirs/banks/tcnn_mobilenetv2_voc12_server'))
)
train_cfg = dict(max_epochs=12)
param_scheduler = dict(milestones=[8, 11])
