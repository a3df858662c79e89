# PASCAL VOC 2007, trained on trainval, tested on test, as in the paper's table 1.
# To choose settings: train_dataloader.dataset.split=train test_dataloader.dataset.split=val
data_root = '{{$TCNN_DATA:data}}/VOCdevkit/VOC2007'
pipeline = [dict(type='tcnn_mm.LoadVOCObjects'), dict(type='tcnn_mm.PackPatchInputs')]
train_dataloader = dict(
    batch_size=32,
    num_workers=2,
    persistent_workers=True,
    pin_memory=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='tcnn_mm.pseudo_collate'),
    dataset=dict(
        type='tcnn_mm.VOCObjects', data_root=data_root, split='trainval', pipeline=pipeline
    ),
)
test_dataloader = dict(
    batch_size=8,
    num_workers=2,
    persistent_workers=True,
    pin_memory=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='tcnn_mm.pseudo_collate'),
    dataset=dict(
        type='tcnn_mm.VOCObjects',
        data_root=data_root,
        split='test',
        pipeline=pipeline,
        test_mode=True,
    ),
)
test_evaluator = [
    dict(type='tcnn_mm.VOCDevkitAP', mode='voc07'),
    dict(type='tcnn_mm.VOCDevkitAP', mode='voc10'),
    # damping chosen on val; 0 is the paper's map.
    dict(type='tcnn_mm.PointLocalization', damping=20),
]
