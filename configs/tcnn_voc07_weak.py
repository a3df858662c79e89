_base_ = './_base_/experiments/tcnn_voc07_weak.py'
