# The paper's main row: VOC 2007, ImageNet-1000 features (table 1, PRE-1000C: 77.7 mAP, voc07).
#
#   export TCNN_DATA=…     (holds VOCdevkit/VOC2007)
#   export TCNN_WEIGHTS=…  (holds alexnet-owt-7be5be79.pth, torchvision's file)
#   python tools/train.py configs/tcnn_voc07.py --amp
#   python tools/test.py configs/tcnn_voc07.py work_dirs/tcnn_voc07/epoch_120.pth --amp
#
# Our figure: not measured; neither the whole VOC2007 nor AlexNet's weights were at hand.
# Time: 120 × 20,000 training patches and 4,952 × about 500 test patches; at the 200–280 patches
# a second of 2 CPU cores (bfloat16) that is about 3 and 3 hours.
# Not the paper: torchvision's one-tower AlexNet instead of Krizhevsky's with LRN; see README.
_base_ = './_base_/experiments/tcnn_voc07.py'
