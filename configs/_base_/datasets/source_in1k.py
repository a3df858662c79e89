# ILSVRC-2012 in mmpretrain's layout: imagenet/{train,val}/<wnid>/*.JPEG. As in Krizhevsky's
# network: shorter side 256, its central 256×256; random 224×224 crops and flips, no colour jitter
# (paper, sec. 1). Pillow resizes with antialiasing, as the patches are resized.
data_root = '{{$TCNN_DATA:data}}/imagenet'
whole = [
    dict(type='tcnn_mm.LoadVOCObjects'),
    dict(type='mmpretrain.ResizeEdge', scale=256, edge='short', backend='pillow'),
]
train_pipeline = [
    *whole,
    dict(type='mmpretrain.CenterCrop', crop_size=256),
    dict(type='mmpretrain.RandomCrop', crop_size=224),
    dict(type='mmpretrain.RandomFlip', prob=0.5),
    dict(type='mmpretrain.PackInputs'),
]
test_pipeline = [
    *whole,
    dict(type='mmpretrain.CenterCrop', crop_size=224),
    dict(type='mmpretrain.PackInputs'),
]
train_dataloader = dict(
    batch_size=128,
    num_workers=8,
    persistent_workers=True,
    pin_memory=True,
    collate_fn=dict(type='default_collate'),
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='mmpretrain.ImageNet', data_root=data_root, split='train', pipeline=train_pipeline
    ),
)
val_dataloader = dict(
    batch_size=128,
    num_workers=8,
    persistent_workers=True,
    pin_memory=True,
    collate_fn=dict(type='default_collate'),
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='mmpretrain.ImageNet',
        data_root=data_root,
        split='val',
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
test_dataloader = val_dataloader
val_evaluator = test_evaluator = dict(type='mmpretrain.Accuracy', topk=(1, 5))
