# MobileNetV4-small of timm through mmpretrain's TIMMBackbone: dense mode, a bank.
#
#   pip install -c requirements/constraints.txt -e '.[timm]'
#   export TCNN_DATA=…     (holds VOCdevkit/VOC2007)
#   export TCNN_WEIGHTS=…  (holds mobilenetv4_conv_small.e2400_r224_in1k.bin: pytorch_model.bin of
#                          huggingface.co/timm/mobilenetv4_conv_small.e2400_r224_in1k, renamed)
#   tcnn train mixing/tcnn_timm_voc07
#   tcnn test mixing/tcnn_timm_voc07 work_dirs/tcnn_timm_voc07/epoch_12.pth
#
# Expected figure and time: not measured, because the weights were unavailable. The paper has no
# such network.
# The last 1×1 convolution runs on every cell and is averaged after its ReLU; timm averages before.
# Another network: model.backbone.model_name, model.head.in_channels, model.pretrained and its
# pixels in model.preprocessing; with squeeze-and-excitation or attention: feature_mode=crop.
_base_ = './tcnn_resnet50_voc07.py'
model = dict(
    backbone=dict(
        _delete_=True, type='mmpretrain.TIMMBackbone', model_name='mobilenetv4_conv_small'
    ),
    head=dict(in_channels=1280),
    pretrained='{{$TCNN_WEIGHTS:checkpoints}}/mobilenetv4_conv_small.e2400_r224_in1k.bin',
)
train_dataloader = dict(dataset=dict(bank='work_dirs/banks/tcnn_timm_voc07'))
