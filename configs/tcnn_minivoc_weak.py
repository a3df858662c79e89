# Image labels alone on the embedded data set: no box is read in training.
#
#   python tools/train.py configs/tcnn_minivoc_weak.py
#   python tools/test.py configs/tcnn_minivoc_weak.py work_dirs/tcnn_minivoc_weak/epoch_100.pth
#
# voc10 mAP on test: 84.9 (84.7–85.3, 3 seeds); with boxes (tcnn_minivoc) 87.1. Points within 18 px
# (5.8 of 160): AP 69 (66–71). About 1 minute on one CPU core.
# Not the authors': lr 0.01, dropout 0 and the test's four scales were chosen on val.
_base_ = './_base_/experiments/tcnn_minivoc_weak.py'
