# SqueezeNet 1.0 (torchvision's) with the file of the Deep Compression authors; other weights of
# torchvision: model.pretrained=FILE and their mean, std in preprocessing.
_base_ = './tcnn_pooled.py'
model = dict(
    backbone=dict(
        type='tcnn_mm.TorchvisionBackbone',
        name='squeezenet1_0',
        preprocessing=dict(size=227, mean=(123.0, 117.0, 104.0), std=(1.0, 1.0, 1.0)),
    ),
    # Its features are about 10 times as large as AlexNet's; with less than 1/20 of that the head
    # is not over-confident (patch loss on val pictures, with dropout 0.5: 1.69 at 0.1, 1.12 at
    # 0.05, 1.03 at 0.03).
    # Dropout chosen on train → val of 0.5, 0.2, 0: 86.3, 88.2, 88.1 of the votes with k = 20.
    head=dict(in_channels=512, feature_scale=0.03, dropout=0.2),
    pretrained='{{$TCNN_WEIGHTS:checkpoints}}/squeezenet1_0_deepcompression_imagenet.pth',
)
