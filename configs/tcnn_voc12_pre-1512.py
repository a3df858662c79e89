# Features from 1512 ImageNet classes, FC6 and FC7 6144 wide: the paper's best row for objects
# (table 2, PRE-1512: 82.8 mAP on test).
#
#   export TCNN_WEIGHTS=…  (holds source_1512.pth, trained by configs/source_1512.py)
#   python tools/train.py configs/tcnn_voc12_pre-1512.py --amp
#   python tools/test.py configs/tcnn_voc12_pre-1512.py CHECKPOINT --amp
#
# With --server, as in tcnn_voc12: comp2.
# Our figure: not measured; the weights are not public. Time: not measured.
_base_ = './_base_/experiments/tcnn_voc12_pre-1512.py'
