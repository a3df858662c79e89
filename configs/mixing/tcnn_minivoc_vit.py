# Crops of MiniVOC through a small vision transformer that learned MiniVOC's source task.
#
#   tcnn train mixing/source_minivoc_vit
#   tcnn train mixing/tcnn_minivoc_vit
#   tcnn test mixing/tcnn_minivoc_vit work_dirs/tcnn_minivoc_vit/epoch_30.pth
#
# Expected, 3 seeds: voc10 mAP on test 61.4 (60.9–62.1), pointing AP 31.9 (31.3–32.2).
# Time: 36 s for the banks, 4 s for the head on one CPU core, after 12 minutes for the network.
# To compare with tcnn_minivoc_vit_dense.py: the windows are the same.
_base_ = '../tcnn_minivoc_bank.py'
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
    preprocessing=dict(size=64, mean=(127.5,) * 3, std=(64.0,) * 3, channel_order='rgb'),
    head=dict(in_channels=64, hidden_channels=512),
    sampler=dict(grid=dict(snap=8)),
    frozen=('backbone',),
    pretrained='work_dirs/source_minivoc_vit/epoch_30.pth',
)
train_dataloader = dict(dataset=dict(bank='work_dirs/banks/tcnn_minivoc_vit'))
test_dataloader = dict(dataset=dict(bank='work_dirs/banks/tcnn_minivoc_vit_test-windows'))
train_cfg = dict(max_epochs=30)
param_scheduler = dict(milestones=[18, 26])
default_hooks = dict(checkpoint=dict(interval=30))
