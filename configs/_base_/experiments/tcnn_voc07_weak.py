# Image labels alone ("Is object localization for free?", CVPR 2015): all windows at one random
# scale per batch of 16 images, max-pooled, one log-loss per class, 20 epochs; six scales at test.
_base_ = './tcnn_voc07.py'
model = dict(
    type='tcnn_mm.WeakPatchClassifier',
    head=dict(background=False),
    sampler=dict(
        _delete_=True,
        type='tcnn_mm.ScaleSampler',
        grid=dict(type='tcnn_mm.PatchGrid', stride=32),
    ),
    aggregator=dict(_delete_=True, type='tcnn_mm.MaxAggregator'),
    feature_mode='dense',
)
train_dataloader = dict(batch_size=16)
train_cfg = dict(max_epochs=20)
param_scheduler = dict(milestones=[12, 17])
# No patch has a label to report.
custom_hooks = [hook for hook in _base_.custom_hooks if hook['type'] != 'tcnn_mm.PatchReportHook']
