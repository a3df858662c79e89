_base_ = [
    '../_base_/models/tcnn_pooled.py',
    '../_base_/datasets/voc07_slice.py',
    '../_base_/schedules/three_stages.py',
    '../_base_/default_runtime.py',
]
model = dict(
    backbone=dict(
        type='tcnn_mm.TorchvisionBackbone',
        name='squeezenet1_0',
        preprocessing=dict(size=227, mean=(123.0, 117.0, 104.0), std=(1.0, 1.0, 1.0)),
    ),
    head=dict(in_channels=512),
    pretrained='{{$TCNN_WEIGHTS:checkpoints}}/squeezenet1_0_deepcompression_imagenet.pth',
)
train_cfg = dict(max_epochs=48)
param_scheduler = dict(milestones=[32, 42])
