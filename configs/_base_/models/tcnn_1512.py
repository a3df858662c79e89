# tcnn_krizhevsky.py with FC6 and FC7 6144 wide, from the 1512-class source task (paper, sec. 1).
_base_ = './tcnn_krizhevsky.py'
model = dict(
    backbone=dict(fc_channels=6144),
    head=dict(in_channels=6144),
    pretrained='{{$TCNN_WEIGHTS:checkpoints}}/source_1512.pth',
)
