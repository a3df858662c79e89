# A small vision transformer on MiniVOC's source task: 12 shapes, one per image, random weights.
#
#   tcnn train mixing/source_minivoc_vit
#
# Expected: accuracy on its val 53.5 % (the small AlexNet of source_minivoc: 95.7 %; a transformer
# learns little from 14,000 images).
# Time: about 12 minutes on one CPU core.
_base_ = '../source_minivoc.py'
model = dict(
    backbone=dict(
        _delete_=True,
        type='mmpretrain.VisionTransformer',
        arch=dict(embed_dims=64, num_layers=4, num_heads=2, feedforward_channels=128),
        img_size=64,
        patch_size=8,
        out_type='featmap',
    ),
    neck=dict(type='mmpretrain.GlobalAveragePooling'),
    head=dict(in_channels=64),
)
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='AdamW', lr=2e-3, betas=(0.9, 0.98), weight_decay=0.05),
    clip_grad=dict(max_norm=1.0),
)
train_cfg = dict(max_epochs=30, val_interval=5)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, end=100),
    dict(
        type='CosineAnnealingLR', by_epoch=True, T_max=30, eta_min=0.0, convert_to_iter_based=True
    ),
]
