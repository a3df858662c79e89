_base_ = [
    '../models/tcnn_1512.py',
    '../datasets/voc12.py',
    '../schedules/three_stages.py',
    '../default_runtime.py',
]
