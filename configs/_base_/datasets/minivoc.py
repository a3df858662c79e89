# The embedded data set's target task: 60 scenes to train on, 120 to test on, drawn on first use.
# To choose settings: test_dataloader.dataset.split=val. A batch is 10 scenes × 16 patches.
pipeline = [dict(type='tcnn_mm.LoadVOCObjects'), dict(type='tcnn_mm.PackPatchInputs')]
train_dataloader = dict(
    batch_size=10,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='tcnn_mm.pseudo_collate'),
    dataset=dict(type='tcnn_mm.MiniVOC', task='target', split='train', pipeline=pipeline),
)
test_dataloader = dict(
    batch_size=10,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='tcnn_mm.pseudo_collate'),
    dataset=dict(
        type='tcnn_mm.MiniVOC', task='target', split='test', pipeline=pipeline, test_mode=True
    ),
)
test_evaluator = [
    dict(type='tcnn_mm.VOCDevkitAP', mode='voc10'),
    dict(type='tcnn_mm.VOCDevkitAP', mode='voc07'),
    # 18 and 15 px of VOC's 500, on images of 160; damping chosen on val (0 is the paper's map).
    dict(type='tcnn_mm.PointLocalization', tolerance=5.8, hit_tolerance=4.8, damping=20),
]
