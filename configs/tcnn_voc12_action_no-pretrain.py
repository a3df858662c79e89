# VOC 2012 actions from random weights (paper, table 3, NO PRETRAIN).
#
#   tcnn train tcnn_voc12_action_no-pretrain
#   tcnn test tcnn_voc12_action_no-pretrain CHECKPOINT
#
# With --server, as in tcnn_voc12_action: comp9, nothing but VOC's own data.
# Expected: the paper has 49.7 mAP on test; ours is not measured.
# Time: not measured; a GPU is needed, because all 111 million weights train.
_base_ = './_base_/experiments/tcnn_voc12_action_no-pretrain.py'
