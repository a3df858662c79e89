# Image labels alone, VOC 2007: the follow-up of the paper ("Is object localization for free?", CVPR
# 2015). No box is read in training.
#
#   export TCNN_DATA=…     (holds VOCdevkit/VOC2007)
#   export TCNN_WEIGHTS=…  (holds alexnet-owt-7be5be79.pth, torchvision's file)
#   python tools/train.py configs/tcnn_voc07_weak.py --amp
#   python tools/test.py configs/tcnn_voc07_weak.py work_dirs/tcnn_voc07_weak/epoch_20.pth --amp
#
# The follow-up reports VOC 2012 only (test: 86.3 mAP, from its 1512-class net). Our figure: not
# measured; neither the whole VOC2007 nor AlexNet's weights were at hand.
# Not the authors': SGD in three stages instead of Adagrad; FCa and FCb look at one window each
# (theirs are 3×3 convolutions of the map); pictures smaller than a patch are enlarged to it instead
# of zero-padded to 500×500; the factor of a batch is drawn for each process.
_base_ = './_base_/experiments/tcnn_voc07_weak.py'
