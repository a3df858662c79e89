# MobileNetV2 (torchvision's, ImageNet) on VOC 2007 from image labels alone.
# This is tcnn_voc07_weak over a network whose map is pooled.
#
#   export TCNN_DATA=…     (holds VOCdevkit/VOC2007)
#   export TCNN_WEIGHTS=…  (holds mobilenet_v2_tf2_int8deq_imagenet.pth)
#   tcnn train mixing/tcnn_mobilenetv2_voc07_weak
#
# Expected figure and time: not measured. Each epoch runs the network, at one scale per image.
_base_ = '../_base_/experiments/tcnn_voc07_weak.py'
model = dict(
    backbone=dict(
        _delete_=True,
        type='tcnn_mm.TorchvisionBackbone',
        name='mobilenet_v2',
        preprocessing=dict(size=225, mean=(127.5, 127.5, 127.5), std=(127.5, 127.5, 127.5)),
    ),
    neck=dict(type='mmpretrain.GlobalAveragePooling'),
    head=dict(in_channels=1280),
    frozen=('backbone',),
    frozen_dtype='bfloat16',
    pretrained='{{$TCNN_WEIGHTS:checkpoints}}/mobilenet_v2_tf2_int8deq_imagenet.pth',
)
# The classes of our 1,907-image subset with ≥ 100 test positives each.
main_classes = ('bus', 'car', 'cat', 'person', 'train')
test_evaluator = [
    dict(type='tcnn_mm.VOCDevkitAP', mode='voc07', subset=main_classes),
    dict(type='tcnn_mm.VOCDevkitAP', mode='voc10', subset=main_classes),
    dict(type='tcnn_mm.PointLocalization', damping=20, subset=main_classes),
]
