# MobileNetV2 (torchvision's, ImageNet) on VOC 2012, train → val: dense mode, nine scales, a bank.
#
#   export TCNN_DATA=…     (holds VOCdevkit/VOC2012)
#   export TCNN_WEIGHTS=…  (holds mobilenet_v2_tf2_int8deq_imagenet.pth)
#   python tools/train.py configs/mixing/tcnn_mobilenetv2_voc12.py
#   python tools/test.py configs/mixing/tcnn_mobilenetv2_voc12.py \
#       work_dirs/tcnn_mobilenetv2_voc12/epoch_12.pth
#
# With --server, as in tcnn_voc12: comp2. Paper: no such network.
# Our figure: not measured. Time on one thread of a busy CPU for a 250 + 250-picture subset:
# not measured; 942 pictures of VOC2007 took 23 minutes (bank), 965 about 22 (test).
_base_ = [
    '../_base_/models/tcnn_pooled.py',
    '../_base_/datasets/voc12_bank.py',
    '../_base_/schedules/three_stages.py',
    '../_base_/default_runtime.py',
]
model = dict(
    backbone=dict(
        type='tcnn_mm.TorchvisionBackbone',
        name='mobilenet_v2',
        preprocessing=dict(size=225, mean=(127.5, 127.5, 127.5), std=(127.5, 127.5, 127.5)),
    ),
    head=dict(in_channels=1280),
    pretrained='{{$TCNN_WEIGHTS:checkpoints}}/mobilenet_v2_tf2_int8deq_imagenet.pth',
)
train_dataloader = dict(dataset=dict(bank='work_dirs/banks/tcnn_mobilenetv2_voc12'))
server = dict(
    train_dataloader=dict(dataset=dict(bank='work_dirs/banks/tcnn_mobilenetv2_voc12_server'))
)
train_cfg = dict(max_epochs=12)
param_scheduler = dict(milestones=[8, 11])
