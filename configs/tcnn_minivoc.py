# The method on the embedded data set: what `make demo` runs.
#
#   python tools/train.py configs/tcnn_minivoc.py
#   python tools/test.py configs/tcnn_minivoc.py work_dirs/tcnn_minivoc/epoch_100.pth
#
# voc10 mAP on test: 87.1 (86.4–87.7, 3 seeds). About 1.5 + 0.7 minutes on 2 CPU cores.
# Not the paper: lr 0.1, FCa 512, dropout 0.2, chosen on val for this small network.
_base_ = './_base_/experiments/tcnn_minivoc.py'
