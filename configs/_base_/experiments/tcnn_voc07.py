_base_ = [
    '../models/tcnn_alexnet.py',
    '../datasets/voc07.py',
    '../schedules/three_stages.py',
    '../default_runtime.py',
]
