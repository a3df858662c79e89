_base_ = [
    '../models/tcnn_alexnet.py',
    '../datasets/voc12.py',
    '../schedules/three_stages.py',
    '../default_runtime.py',
]
