_base_ = './_base_/experiments/tcnn_minivoc_weak.py'
