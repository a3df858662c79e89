# The method on the embedded data set; `tcnn demo` runs it.
#
#   tcnn train tcnn_minivoc
#   tcnn test tcnn_minivoc work_dirs/tcnn_minivoc/epoch_100.pth
#
# Expected: voc10 mAP on test 87.1 (86.4–87.7, 3 seeds).
# Time: about 1.5 minutes of training and 0.7 of test on 2 CPU cores.
# Not as in the paper: lr 0.1, FCa 512, dropout 0.2, chosen on val for this small network.
_base_ = './_base_/experiments/tcnn_minivoc.py'
