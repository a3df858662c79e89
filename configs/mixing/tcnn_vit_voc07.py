# ViT-B/16 of mmpretrain with its zoo weights: its class token describes a patch, crop mode.
#
#   export TCNN_DATA=…     (holds VOCdevkit/VOC2007)
#   export TCNN_WEIGHTS=…  (holds vit-base-p16_pt-32xb128-mae_in1k_20220623-4c544545.pth, from
#                          mmpretrain's zoo: mmassets.onedl.ai/mmclassification/v0/vit/)
#   python tools/train.py configs/mixing/tcnn_vit_voc07.py
#   python tools/test.py configs/mixing/tcnn_vit_voc07.py work_dirs/tcnn_vit_voc07/epoch_12.pth
#
# Our figure and time: not measured, the weights were not at hand. Paper: no such network.
# Attention mixes the whole input, so that dense mode refuses it; each of about 350 patches a
# picture costs 17.6 G multiply-adds (AlexNet's 0.7): it wants a GPU.
_base_ = './tcnn_resnet50_voc07.py'
model = dict(
    backbone=dict(_delete_=True, type='mmpretrain.VisionTransformer', arch='base', img_size=224),
    neck=None,
    head=dict(in_channels=768),
    feature_mode='crop',
    pretrained='{{$TCNN_WEIGHTS:checkpoints}}/vit-base-p16_pt-32xb128-mae_in1k_20220623-4c544545.pth',
)
train_dataloader = dict(dataset=dict(bank='work_dirs/banks/tcnn_vit_voc07'))
