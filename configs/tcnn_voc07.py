# VOC 2007 with ImageNet-1000 features, the paper's main row (table 1, PRE-1000C).
#
#   export TCNN_DATA=…     (holds VOCdevkit/VOC2007)
#   export TCNN_WEIGHTS=…  (holds alexnet-owt-7be5be79.pth, torchvision's file)
#   tcnn train tcnn_voc07 --amp
#   tcnn test tcnn_voc07 work_dirs/tcnn_voc07/epoch_120.pth --amp
#
# Expected: the paper has 77.7 voc07 mAP; ours is not measured, because the whole VOC 2007 and
# AlexNet's weights were unavailable.
# Time: 120 × 20,000 training patches and 4,952 × about 500 test patches. At the 200–280 patches
# per second of 2 CPU cores (bfloat16) that is about 3 hours each.
# Not as in the paper: torchvision's AlexNet; see docs/paper_against_code.md.
_base_ = './_base_/experiments/tcnn_voc07.py'
