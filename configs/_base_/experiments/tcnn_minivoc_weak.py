# Image labels alone: all windows at one random scale per batch, max-pooled, one log-loss per class.
_base_ = './tcnn_minivoc.py'
model = dict(
    type='tcnn_mm.WeakPatchClassifier',
    # Chosen on val: dropout, lr and the test's factors.
    head=dict(background=False, dropout=0.0),
    # 160×120 as stored: a shorter side of 120 / 64 patches.
    sampler=dict(
        _delete_=True,
        type='tcnn_mm.ScaleSampler',
        grid=dict(type='tcnn_mm.PatchGrid', stride=16),
        base=1.875,
        factors=(0.7, 1.0, 1.4, 2.0),
    ),
    aggregator=dict(_delete_=True, type='tcnn_mm.MaxAggregator'),
    feature_mode='dense',
)
optim_wrapper = dict(optimizer=dict(lr=0.01))
# No patch has a label to report.
custom_hooks = [hook for hook in _base_.custom_hooks if hook['type'] != 'tcnn_mm.PatchReportHook']
