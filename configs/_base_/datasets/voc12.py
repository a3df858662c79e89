# PASCAL VOC 2012, objects: train → val. The annotations of its test split are secret:
# `--server` (of `tcnn train` and `tcnn test`) applies `server` below, trains on trainval and writes
# the files that the evaluation server scores.
data_root = '{{$TCNN_DATA:data}}/VOCdevkit/VOC2012'
pipeline = [dict(type='tcnn_mm.LoadVOCObjects'), dict(type='tcnn_mm.PackPatchInputs')]
train_dataloader = dict(
    batch_size=32,
    num_workers=2,
    persistent_workers=True,
    pin_memory=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='tcnn_mm.pseudo_collate'),
    dataset=dict(type='tcnn_mm.VOCObjects', data_root=data_root, split='train', pipeline=pipeline),
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
        split='val',
        pipeline=pipeline,
        test_mode=True,
    ),
)
test_evaluator = [dict(type='tcnn_mm.VOCDevkitAP', mode='voc10')]
server = dict(
    train_dataloader=dict(dataset=dict(split='trainval')),
    test_dataloader=dict(dataset=dict(split='test', annotations=False)),
    # comp2: the network has seen other data (ImageNet).
    test_evaluator=[dict(type='tcnn_mm.VOCSubmission', comp='comp2')],
)
