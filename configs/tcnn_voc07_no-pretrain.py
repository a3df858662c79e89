_base_ = './_base_/experiments/tcnn_voc07_no-pretrain.py'
