# The same network and patches from random weights (table 2, NO PRETRAIN: 70.9 mAP on test).
#
#   python tools/train.py configs/tcnn_voc12_no-pretrain.py
#   python tools/test.py configs/tcnn_voc12_no-pretrain.py CHECKPOINT
#
# With --server, as in tcnn_voc12: comp1, nothing but VOC's own data.
# Our figure: not measured. A GPU is needed: every step trains all 65 million weights.
_base_ = './_base_/experiments/tcnn_voc12_no-pretrain.py'
