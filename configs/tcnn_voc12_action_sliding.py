# Where is the action? Windows named by person boxes in training, pictures without boxes at test
# (paper, sec. 6: shown in pictures, without a number).
#
#   python tools/train.py configs/tcnn_voc12_action_sliding.py --amp
#   python tools/test.py configs/tcnn_voc12_action_sliding.py CHECKPOINT --amp --show-dir maps
#
# Data and weights as in tcnn_voc12_action. The voc10 AP is of "does anybody in this picture do
# it"; the paper has no such figure, and the server takes persons only. --show-dir draws the maps.
# Our figure: not measured. Time: not measured.
_base_ = './_base_/experiments/tcnn_voc12_action_sliding.py'
