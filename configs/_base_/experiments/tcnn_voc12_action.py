# One square patch per person, no background (paper, sec. 6). A single patch needs no power mean.
_base_ = [
    '../models/tcnn_1512.py',
    '../datasets/voc12_action.py',
    '../schedules/three_stages.py',
    '../default_runtime.py',
]
model = dict(
    head=dict(num_classes=11, background=False),
    sampler=dict(_delete_=True, type='tcnn_mm.ObjectSquareSampler'),
    aggregator=dict(_delete_=True, type='tcnn_mm.MeanAggregator'),
)
# One patch per person and epoch: about 25 steps.
train_cfg = dict(max_epochs=360)
param_scheduler = dict(milestones=[210, 300])
default_hooks = dict(checkpoint=dict(interval=10))
