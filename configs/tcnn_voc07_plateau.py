# tcnn_voc07 with the paper's schedule: lr ÷ 10 on a plateau of the training loss, three times.
#
#   tcnn train tcnn_voc07_plateau --amp
#
# Expected: the paper has 77.7 voc07 mAP; ours is not measured, as for tcnn_voc07.
_base_ = './_base_/experiments/tcnn_voc07_plateau.py'
