# VOC 2012 actions, FC6 trained with FCa and FCb: the paper's best row for actions (table 3,
# PRE-1512U: 70.2 mAP on test). FC7 stays fixed, odd as it looks: the paper's list is explicit.
#
#   python tools/train.py configs/tcnn_voc12_action_unfreeze-fc6.py --amp
#   python tools/test.py configs/tcnn_voc12_action_unfreeze-fc6.py CHECKPOINT
#
# Data, weights and --server (comp10) as in tcnn_voc12_action.
# Our figure: not measured. Time: not measured; a GPU is needed, FC6 has 57 million weights.
# Not the paper: it gives no learning rate for FC6; here it is that of the new layers.
_base_ = './_base_/experiments/tcnn_voc12_action_unfreeze-fc6.py'
