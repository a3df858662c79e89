# VOC 2012 with features of 1512 ImageNet classes (paper, table 2, PRE-1512).
# FC6 and FC7 are 6144 wide. This is the paper's best row for objects.
#
#   export TCNN_WEIGHTS=…  (holds source_1512.pth, trained by configs/source_1512.py)
#   tcnn train tcnn_voc12_pre-1512 --amp
#   tcnn test tcnn_voc12_pre-1512 CHECKPOINT --amp
#
# With --server, as in tcnn_voc12: comp2.
# Expected: the paper has 82.8 mAP on test; ours is not measured, because the weights are not
# public.
# Time: not measured.
_base_ = './_base_/experiments/tcnn_voc12_pre-1512.py'
