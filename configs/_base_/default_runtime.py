# What every run shares. Our hooks stand in `default_hooks`, by name, so that a leaf can change
# one (`default_hooks=dict(patch_report=None)`) without repeating the others.
default_scope = 'mmpretrain'
default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=20),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(type='CheckpointHook', interval=1, max_keep_ckpts=1),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    epoch_seed=dict(type='tcnn_mm.EpochSeedHook'),
    patch_report=dict(type='tcnn_mm.PatchReportHook'),
    checkpoint_meta=dict(type='tcnn_mm.CheckpointMetaHook'),
    voc_results=dict(type='tcnn_mm.VOCResultsHook'),
)
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
