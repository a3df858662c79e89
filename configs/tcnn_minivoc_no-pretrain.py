# The same small network from random weights: the comparison for the transfer.
#
#   tcnn train tcnn_minivoc_no-pretrain
#
# Expected: voc10 mAP on test 55.7 (55.6–55.7, 3 seeds) with lr 0.01, the best on val of 0.003,
# 0.01 and 0.03 (0.1 diverges).
# Time: about 4 minutes on 2 CPU cores. Nothing is frozen, so every step trains all layers.
_base_ = './_base_/experiments/tcnn_minivoc_no-pretrain.py'
