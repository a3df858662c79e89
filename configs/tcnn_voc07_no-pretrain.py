# The same network and patches from random weights (table 2, NO PRETRAIN: 70.9 on VOC 2012; the
# paper has no such row for VOC 2007).
#
#   python tools/train.py configs/tcnn_voc07_no-pretrain.py
#
# Our figure: not measured. A GPU is needed: every step trains all 57 million weights.
_base_ = './_base_/experiments/tcnn_voc07_no-pretrain.py'
