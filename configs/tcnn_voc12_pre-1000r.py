# Features from 1000 random ImageNet classes (table 2, PRE-1000R: 76.3 mAP on test).
#
#   export TCNN_WEIGHTS=…  (holds source_1000r.pth, trained by configs/source_1000r.py)
#   python tools/train.py configs/tcnn_voc12_pre-1000r.py --amp
#   python tools/test.py configs/tcnn_voc12_pre-1000r.py CHECKPOINT --amp
#
# With --server, as in tcnn_voc12: comp2.
# Our figure: not measured; nobody has published such weights. Time: about twice tcnn_voc12's
# (1.1 G multiply-adds a patch against 0.7).
_base_ = './_base_/experiments/tcnn_voc12_pre-1000r.py'
