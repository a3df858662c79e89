# The same small network from random weights: what the transfer is compared with.
#
#   python tools/train.py configs/tcnn_minivoc_no-pretrain.py
#
# voc10 mAP on test: 55.7 (55.6–55.7, 3 seeds) at lr 0.01, the best on val of 0.003, 0.01, 0.03
# (0.1 diverges). About 4 minutes on 2 CPU cores: nothing is frozen, every step trains all layers.
_base_ = './_base_/experiments/tcnn_minivoc_no-pretrain.py'
