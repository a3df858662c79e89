# PASCAL VOC 2012, actions: one person per sample, train → val; for `--server` see voc12.py. The
# eleventh class, `other`, is trained and not scored, as in the devkit; without it:
#   --cfg-options train_dataloader.dataset.other=False test_dataloader.dataset.other=False \
#       model.head.num_classes=10
data_root = '{{$TCNN_DATA:data}}/VOCdevkit/VOC2012'
pipeline = [dict(type='tcnn_mm.LoadVOCObjects'), dict(type='tcnn_mm.PackPatchInputs')]
train_dataloader = dict(
    batch_size=128,
    num_workers=2,
    persistent_workers=True,
    pin_memory=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='tcnn_mm.pseudo_collate'),
    dataset=dict(
        type='tcnn_mm.VOCAction',
        data_root=data_root,
        split='train',
        other=True,
        pipeline=pipeline,
    ),
)
test_dataloader = dict(
    batch_size=32,
    num_workers=2,
    persistent_workers=True,
    pin_memory=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='tcnn_mm.pseudo_collate'),
    dataset=dict(
        type='tcnn_mm.VOCAction',
        data_root=data_root,
        split='val',
        other=True,
        pipeline=pipeline,
        test_mode=True,
    ),
)
test_evaluator = [dict(type='tcnn_mm.VOCActionAP')]
server = dict(
    train_dataloader=dict(dataset=dict(split='trainval')),
    test_dataloader=dict(dataset=dict(split='test', annotations=False)),
    # comp10: the network has seen other data (ImageNet).
    test_evaluator=[dict(type='tcnn_mm.VOCSubmission', comp='comp10')],
)
