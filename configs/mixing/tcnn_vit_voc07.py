# ViT-B/16 of mmpretrain with its public weights: the class token describes a patch, crop mode.
#
#   export TCNN_DATA=…     (holds VOCdevkit/VOC2007)
#   export TCNN_WEIGHTS=…  (holds vit-base-p16_pt-32xb128-mae_in1k_20220623-4c544545.pth, from
#                          mmassets.onedl.ai/mmclassification/v0/vit/)
#   tcnn train mixing/tcnn_vit_voc07
#   tcnn test mixing/tcnn_vit_voc07 work_dirs/tcnn_vit_voc07/epoch_12.pth
#
# Expected figure and time: not measured, because the weights were unavailable. The paper has no
# such network.
# Each of about 350 patches per image costs 17.6 G multiply-adds (AlexNet: 0.7): a GPU is needed.
# Dense mode, in tiles: tcnn_vit_voc07_dense.py.
_base_ = './tcnn_resnet50_voc07.py'
model = dict(
    backbone=dict(_delete_=True, type='mmpretrain.VisionTransformer', arch='base', img_size=224),
    neck=None,
    head=dict(in_channels=768),
    feature_mode='crop',
    pretrained='{{$TCNN_WEIGHTS:checkpoints}}/vit-base-p16_pt-32xb128-mae_in1k_20220623-4c544545.pth',
)
train_dataloader = dict(dataset=dict(bank='work_dirs/banks/tcnn_vit_voc07'))
