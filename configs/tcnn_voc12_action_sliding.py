# VOC 2012 actions by sliding windows (paper, sec. 6).
# Patches are labelled by person boxes in training; images have no boxes at test. The paper shows
# this in figure 7, without a number.
#
#   tcnn train tcnn_voc12_action_sliding --amp
#   tcnn test tcnn_voc12_action_sliding CHECKPOINT --amp --show-dir maps
#
# Data and weights as in tcnn_voc12_action. --show-dir draws the localization maps.
# Expected: not measured. The voc10 AP asks whether anybody in the image does the action; the paper
# has no such figure, and the evaluation server scores persons alone.
# Time: not measured.
_base_ = './_base_/experiments/tcnn_voc12_action_sliding.py'
