_base_ = [
    '../models/tcnn_alexnet_small.py',
    '../datasets/minivoc.py',
    '../schedules/three_stages.py',
    '../default_runtime.py',
]
train_cfg = dict(max_epochs=60)
param_scheduler = dict(milestones=[40, 54])
default_hooks = dict(checkpoint=dict(interval=20))
