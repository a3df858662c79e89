# VOC 2012 with ImageNet-1000 features (paper, table 2, PRE-1000C: 78.7 mAP on test).
#
#   export TCNN_DATA=…     (holds VOCdevkit/VOC2012)
#   export TCNN_WEIGHTS=…  (holds alexnet-owt-7be5be79.pth, torchvision's file)
#   python tools/train.py configs/tcnn_voc12.py --amp
#   python tools/test.py configs/tcnn_voc12.py work_dirs/tcnn_voc12/epoch_120.pth --amp
#
# That is train → val, voc10 AP: test's annotations are secret. For test, trainval → files for the
# evaluation server (comp2), in results_comp2_test.tar.gz of the work dir:
#
#   python tools/train.py configs/tcnn_voc12.py --server --amp
#   python tools/test.py configs/tcnn_voc12.py work_dirs/tcnn_voc12_server/epoch_120.pth --server
#
# Our figure: not measured; neither the whole VOC2012 nor AlexNet's weights were at hand.
# Time: as tcnn_voc07, about 3 and 3.5 hours on 2 CPU cores in bfloat16 (reckoned, not run).
# Not the paper: torchvision's one-tower AlexNet instead of Krizhevsky's with LRN; see README.
_base_ = './_base_/experiments/tcnn_voc12.py'
