_base_ = [
    '../models/tcnn_alexnet_small.py',
    '../datasets/minivoc.py',
    '../schedules/three_stages.py',
    '../default_runtime.py',
]
optim_wrapper = dict(optimizer=dict(lr=0.1))
train_cfg = dict(max_epochs=100)
param_scheduler = dict(milestones=[60, 85])
default_hooks = dict(checkpoint=dict(interval=20))
