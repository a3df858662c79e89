# Image labels alone: all windows at one random scale a batch, max-pooled, one log-loss a class.
_base_ = './tcnn_minivoc.py'
model = dict(
    type='tcnn_mm.WeakPatchClassifier',
    head=dict(background=False),
    # 160×120 as stored: a shorter side of 120 / 64 patches.
    sampler=dict(
        _delete_=True,
        type='tcnn_mm.ScaleSampler',
        grid=dict(type='tcnn_mm.PatchGrid', stride=16),
        base=1.875,
    ),
    aggregator=dict(_delete_=True, type='tcnn_mm.MaxAggregator'),
    feature_mode='dense',
)
# Without PatchReportHook: no patch has a label.
custom_hooks = [
    dict(type='tcnn_mm.EpochSeedHook'),
    dict(type='tcnn_mm.CheckpointMetaHook'),
    dict(type='tcnn_mm.VOCResultsHook'),
]
