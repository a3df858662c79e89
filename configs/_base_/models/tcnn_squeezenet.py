# torchvision's SqueezeNet 1.0 with the weights of the Deep Compression authors. Other weights of
# the same network: model.pretrained=FILE and their mean and std in preprocessing.
_base_ = './tcnn_pooled.py'
model = dict(
    backbone=dict(
        type='tcnn_mm.TorchvisionBackbone',
        name='squeezenet1_0',
        preprocessing=dict(size=227, mean=(123.0, 117.0, 104.0), std=(1.0, 1.0, 1.0)),
    ),
    # Its features are about 10 times as large as AlexNet's. feature_scale by the patch loss on val
    # (dropout 0.5): 1.69 at 0.1, 1.12 at 0.05, 1.03 at 0.03.
    # Dropout by the mAP on train → val (k = 20): 86.3 at 0.5, 88.2 at 0.2, 88.1 at 0.
    head=dict(in_channels=512, feature_scale=0.03, dropout=0.2),
    pretrained='{{$TCNN_WEIGHTS:checkpoints}}/squeezenet1_0_deepcompression_imagenet.pth',
)
