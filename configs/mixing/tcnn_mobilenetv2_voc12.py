# MobileNetV2 (torchvision's, ImageNet) on VOC 2012, train → val: dense mode, nine scales, a bank.
#
#   export TCNN_DATA=…     (holds VOCdevkit/VOC2012)
#   export TCNN_WEIGHTS=…  (holds mobilenet_v2_tf2_int8deq_imagenet.pth)
#   python tools/train.py configs/mixing/tcnn_mobilenetv2_voc12.py
#   python tools/test.py configs/mixing/tcnn_mobilenetv2_voc12.py \
#       work_dirs/tcnn_mobilenetv2_voc12/epoch_12.pth
#
# With --server, as in tcnn_voc12: comp2. Paper: no such network.
# Our figure and time on the 250 + 250-picture subset: not measured. At the 1.1 pictures a second
# and core of tcnn_mobilenetv2_voc07, the bank and the test are some 4 minutes each.
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
