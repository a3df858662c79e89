# VOC 2012 with ImageNet-1000 features (paper, table 2, PRE-1000C).
#
#   export TCNN_DATA=…     (holds VOCdevkit/VOC2012)
#   export TCNN_WEIGHTS=…  (holds alexnet-owt-7be5be79.pth, torchvision's file)
#   tcnn train tcnn_voc12 --amp
#   tcnn test tcnn_voc12 work_dirs/tcnn_voc12/epoch_120.pth --amp
#
# That is train → val, voc10 AP, because the annotations of test are secret. For test, trainval →
# files for the evaluation server (comp2), in results_comp2_test.tar.gz of the work dir:
#
#   tcnn train tcnn_voc12 --server --amp
#   tcnn test tcnn_voc12 work_dirs/tcnn_voc12_server/epoch_120.pth --server
#
# Expected: the paper has 78.7 mAP on test; ours is not measured, because the whole VOC 2012 and
# AlexNet's weights were unavailable.
# Time: as tcnn_voc07, about 3 and 3.5 hours on 2 CPU cores in bfloat16 (estimated).
# Not as in the paper: torchvision's AlexNet; see docs/paper_against_code.md.
_base_ = './_base_/experiments/tcnn_voc12.py'
