# tcnn_voc07 with the paper's own schedule: ÷10 on a plateau of the training loss, three stages.
#
#   python tools/train.py configs/tcnn_voc07_plateau.py --amp
#
# Paper 77.7 (voc07); our figure: not measured, as for tcnn_voc07.
_base_ = './_base_/experiments/tcnn_voc07_plateau.py'
