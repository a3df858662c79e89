# VOC 2012 with features of 1000 random ImageNet classes (paper, table 2, PRE-1000R).
#
#   export TCNN_WEIGHTS=…  (holds source_1000r.pth, trained by configs/source_1000r.py)
#   tcnn train tcnn_voc12_pre-1000r --amp
#   tcnn test tcnn_voc12_pre-1000r CHECKPOINT --amp
#
# With --server, as in tcnn_voc12: comp2.
# Expected: the paper has 76.3 mAP on test; ours is not measured, because no such weights are
# public.
# Time: about twice tcnn_voc12's (1.1 G multiply-adds per patch in place of 0.7).
_base_ = './_base_/experiments/tcnn_voc12_pre-1000r.py'
