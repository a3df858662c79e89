# VOC 2012 actions with FC6 trained besides FCa and FCb (paper, table 3, PRE-1512U).
# This is the paper's best row for actions. FC7 stays frozen; the paper's list of trained layers is
# explicit.
#
#   tcnn train tcnn_voc12_action_unfreeze-fc6 --amp
#   tcnn test tcnn_voc12_action_unfreeze-fc6 CHECKPOINT
#
# Data, weights and --server (comp10) as in tcnn_voc12_action.
# Expected: the paper has 70.2 mAP on test; ours is not measured.
# Time: not measured; a GPU is needed, because FC6 has 57 million weights.
# Not in the paper, which leaves it open: the learning rate of FC6 (here that of the new layers).
_base_ = './_base_/experiments/tcnn_voc12_action_unfreeze-fc6.py'
