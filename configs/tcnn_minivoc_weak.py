# Image labels alone on the embedded data set: no box is read in training.
#
#   tcnn train tcnn_minivoc_weak
#   tcnn test tcnn_minivoc_weak work_dirs/tcnn_minivoc_weak/epoch_100.pth
#
# Expected, 3 seeds: voc10 mAP on test 84.9 (84.7–85.3); with boxes (tcnn_minivoc) 87.1. Pointing
# AP 69 (66–71): points within 5.8 of 160 px, as 18 of VOC's 500.
# Time: about 1 minute on one CPU core.
# Not the authors': lr 0.01, dropout 0 and the four scales of the test were chosen on val.
_base_ = './_base_/experiments/tcnn_minivoc_weak.py'
