# The same small network from random weights: what the transfer is compared with.
#
#   python tools/train.py configs/tcnn_minivoc_no-pretrain.py
#
# voc10 mAP on test: see the README's table (3 seeds, best of three learning rates on val).
# About 5 minutes on 2 CPU cores: nothing is frozen, so every step goes through all layers.
_base_ = './_base_/experiments/tcnn_minivoc_no-pretrain.py'
