# VOC 2007 from random weights, with the same network and patches.
#
#   tcnn train tcnn_voc07_no-pretrain
#
# Expected: not measured. The paper has this row for VOC 2012 alone (table 2, NO PRETRAIN: 70.9).
# Time: a GPU is needed, because every step trains all 57 million weights.
_base_ = './_base_/experiments/tcnn_voc07_no-pretrain.py'
