_base_ = [
    '../models/tcnn_krizhevsky.py',
    '../datasets/voc12.py',
    '../schedules/three_stages.py',
    '../default_runtime.py',
]
model = dict(pretrained='{{$TCNN_WEIGHTS:checkpoints}}/source_1000r.pth')
