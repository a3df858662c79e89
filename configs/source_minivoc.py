# The source network of the embedded data set: 12 shapes, one per image, from random weights.
#
#   tcnn train source_minivoc
#
# Expected: accuracy on its val 95.7 %.
# Time: about 4 minutes on 2 CPU cores, the drawing of 14,000 images included.
# Classifier and head are mmpretrain's. tools/model_converters/publish_model.py makes the file that
# ships (tcnn_mm/models/weights/minivoc_source.pth) from its last checkpoint.
_base_ = './_base_/default_runtime.py'
model = dict(
    type='mmpretrain.ImageClassifier',
    backbone=dict(type='tcnn_mm.TransferAlexNet', variant='small', dropout=0.2),
    head=dict(
        type='mmpretrain.LinearClsHead',
        num_classes=12,
        in_channels=256,
        loss=dict(type='mmpretrain.CrossEntropyLoss'),
        topk=(1,),
    ),
    data_preprocessor=dict(
        type='mmpretrain.ClsDataPreprocessor',
        num_classes=12,
        mean=[127.5] * 3,
        std=[64.0] * 3,
        to_rgb=True,
    ),
)
train_dataloader = dict(
    batch_size=64,
    num_workers=1,
    persistent_workers=True,
    collate_fn=dict(type='default_collate'),
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='tcnn_mm.MiniVOC',
        task='source',
        split='train',
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='mmpretrain.RandomFlip', prob=0.5),
            dict(type='mmpretrain.PackInputs'),
        ],
    ),
)
val_dataloader = dict(
    batch_size=250,
    num_workers=1,
    persistent_workers=True,
    collate_fn=dict(type='default_collate'),
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='tcnn_mm.MiniVOC',
        task='source',
        split='val',
        pipeline=[dict(type='LoadImageFromFile'), dict(type='mmpretrain.PackInputs')],
        test_mode=True,
    ),
)
test_dataloader = val_dataloader
val_evaluator = test_evaluator = dict(type='mmpretrain.Accuracy', topk=(1,))
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.05, momentum=0.9, weight_decay=5e-4))
train_cfg = dict(by_epoch=True, max_epochs=10, val_interval=5)
val_cfg = test_cfg = dict()
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, end=200),
    dict(
        type='CosineAnnealingLR', by_epoch=True, T_max=10, eta_min=0.0, convert_to_iter_based=True
    ),
]
default_hooks = dict(logger=dict(interval=50))
custom_hooks = [dict(type='tcnn_mm.EpochSeedHook')]
