_base_ = './_base_/experiments/tcnn_minivoc_no-pretrain.py'
