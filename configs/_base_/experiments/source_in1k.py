_base_ = [
    '../models/source_krizhevsky.py',
    '../datasets/source_in1k.py',
    '../schedules/source_plateau.py',
    '../default_runtime.py',
]
default_hooks = dict(logger=dict(interval=100))
custom_hooks = [
    dict(type='tcnn_mm.EpochSeedHook'),
    dict(type='tcnn_mm.CheckpointMetaHook'),
    dict(type='tcnn_mm.PlateauStages'),
]
