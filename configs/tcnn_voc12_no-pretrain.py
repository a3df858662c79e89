# VOC 2012 from random weights, with the same network and patches (paper, table 2, NO PRETRAIN).
#
#   tcnn train tcnn_voc12_no-pretrain
#   tcnn test tcnn_voc12_no-pretrain CHECKPOINT
#
# With --server, as in tcnn_voc12: comp1, nothing but VOC's own data.
# Expected: the paper has 70.9 mAP on test; ours is not measured.
# Time: a GPU is needed, because every step trains all 65 million weights.
_base_ = './_base_/experiments/tcnn_voc12_no-pretrain.py'
