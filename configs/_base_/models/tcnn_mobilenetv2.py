# torchvision's MobileNetV2 with TensorFlow's weights. Other weights of the same network:
# model.pretrained=FILE and their mean and std in preprocessing.
_base_ = './tcnn_pooled.py'
model = dict(
    backbone=dict(
        type='tcnn_mm.TorchvisionBackbone',
        name='mobilenet_v2',
        preprocessing=dict(size=225, mean=(127.5, 127.5, 127.5), std=(127.5, 127.5, 127.5)),
    ),
    head=dict(in_channels=1280),
    pretrained='{{$TCNN_WEIGHTS:checkpoints}}/mobilenet_v2_tf2_int8deq_imagenet.pth',
)
