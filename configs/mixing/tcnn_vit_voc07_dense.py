# ViT-B/16 of mmpretrain in dense mode: tokens of whole resized images, attention in tiles.
#
#   export TCNN_DATA=…     (holds VOCdevkit/VOC2007)
#   export TCNN_WEIGHTS=…  (holds vit-base-p16_pt-32xb128-mae_in1k_20220623-4c544545.pth, from
#                          mmassets.onedl.ai/mmclassification/v0/vit/)
#   tcnn train mixing/tcnn_vit_voc07_dense
#   tcnn test mixing/tcnn_vit_voc07_dense work_dirs/tcnn_vit_voc07_dense/epoch_12.pth
#
# Expected figure and time: not measured, because the weights were unavailable. The paper has no
# such network.
# A patch is the mean of its tokens, not the class token of tcnn_vit_voc07.py. For crops of the same
# windows and features: model.feature_mode=crop model.sampler.grid.snap=16.
_base_ = './tcnn_vit_voc07.py'
model = dict(
    backbone=dict(out_type='featmap'),
    neck=dict(_delete_=True, type='mmpretrain.GlobalAveragePooling'),
    feature_mode='dense',
    dense_tile=224,
)
train_dataloader = dict(dataset=dict(bank='work_dirs/banks/tcnn_vit_voc07_dense'))
