# The common base of the configs that `tcnn fit` writes: three feature banks (training patches, all
# windows of val and test), metrics, schedule. Leaves add a model of ../models, the banks with
# their sources, the classes and the number of epochs.
_base_ = ['../schedules/three_stages.py', '../default_runtime.py']
_windows = dict(
    _delete_=True,
    batch_size=8,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='tcnn_mm.pseudo_collate'),
    dataset=dict(type='tcnn_mm.FeatureBank', test_mode=True),
)
train_dataloader = dict(
    batch_size=128,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='tcnn_mm.pseudo_collate'),
    dataset=dict(type='tcnn_mm.FeatureBank', flips=False),
)
val_dataloader = _windows
test_dataloader = {key: value for key, value in _windows.items() if key != '_delete_'}
val_evaluator = dict(_delete_=True, type='tcnn_mm.VOCDevkitAP', mode='voc10')
test_evaluator = [
    dict(type='tcnn_mm.VOCDevkitAP', mode='voc10'),
    dict(type='tcnn_mm.VOCDevkitAP', mode='voc07'),
]
val_cfg = dict(_delete_=True)
