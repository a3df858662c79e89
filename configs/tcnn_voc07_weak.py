# VOC 2007 from image labels alone, the follow-up of the paper.
# "Is object localization for free?", CVPR 2015. No box is read in training.
#
#   export TCNN_DATA=…     (holds VOCdevkit/VOC2007)
#   export TCNN_WEIGHTS=…  (holds alexnet-owt-7be5be79.pth, torchvision's file)
#   tcnn train tcnn_voc07_weak --amp
#   tcnn test tcnn_voc07_weak work_dirs/tcnn_voc07_weak/epoch_20.pth --amp
#
# Expected: not measured, because the whole VOC 2007 and AlexNet's weights were unavailable. The
# follow-up reports VOC 2012 alone (test: 86.3 mAP, from its 1512-class network).
# Not the authors': SGD in three stages in place of Adagrad; FCa and FCb see one window each
# (theirs are 3×3 convolutions of the map); images smaller than a patch are enlarged to it in place
# of zero-padding to 500×500; the scale of a batch is drawn per process.
_base_ = './_base_/experiments/tcnn_voc07_weak.py'
