# VOC 2012 actions from random weights (table 3, NO PRETRAIN: 49.7 mAP on test).
#
#   python tools/train.py configs/tcnn_voc12_action_no-pretrain.py
#   python tools/test.py configs/tcnn_voc12_action_no-pretrain.py CHECKPOINT
#
# With --server, as in tcnn_voc12_action: comp9, nothing but VOC's own data.
# Our figure: not measured. Time: not measured; a GPU is needed, all 111 million weights train.
_base_ = './_base_/experiments/tcnn_voc12_action_no-pretrain.py'
