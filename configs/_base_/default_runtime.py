# The common runtime of all experiments. A leaf adds a hook with
# `custom_hooks = _base_.custom_hooks + [dict(…)]`.
default_scope = 'mmpretrain'
default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=20),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(type='tcnn_mm.AtomicCheckpointHook', interval=1, max_keep_ckpts=1),
    sampler_seed=dict(type='DistSamplerSeedHook'),
)
custom_hooks = [
    dict(type='tcnn_mm.EpochSeedHook'),
    dict(type='tcnn_mm.PatchReportHook'),
    dict(type='tcnn_mm.PatchProgressHook'),
    dict(type='tcnn_mm.CheckpointMetaHook'),
    dict(type='tcnn_mm.StrictCheckpointHook'),
    dict(type='tcnn_mm.CheckFiniteHook'),
    dict(type='tcnn_mm.PatchScoresHook'),
    dict(type='tcnn_mm.VOCResultsHook'),
]
env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'),
)
visualizer = dict(type='tcnn_mm.ScoreMapVisualizer', vis_backends=[dict(type='LocalVisBackend')])
log_level = 'INFO'
load_from = None
resume = False
randomness = dict(seed=0, deterministic=False)
