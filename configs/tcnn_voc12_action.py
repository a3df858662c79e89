# VOC 2012 actions: FCa and FCb on 1512-class features (table 3, PRE-1512: 68.4 mAP on test).
#
#   export TCNN_DATA=…     (holds VOCdevkit/VOC2012 with ImageSets/Action)
#   export TCNN_WEIGHTS=…  (holds source_1512.pth, trained by configs/source_1512.py)
#   python tools/train.py configs/tcnn_voc12_action.py --amp
#   python tools/test.py configs/tcnn_voc12_action.py work_dirs/tcnn_voc12_action/epoch_360.pth
#
# That is train → val. For test, trainval → files for the evaluation server (comp10):
#
#   python tools/train.py configs/tcnn_voc12_action.py --server --amp
#   python tools/test.py configs/tcnn_voc12_action.py \
#       work_dirs/tcnn_voc12_action_server/epoch_360.pth --server
#
# Our figure: not measured; neither the action pictures nor the weights were at hand.
# Time: not measured; about 3,000 patches an epoch and 3,100 at test.
# Not the paper: it says neither how long the side of the square is (here the box's longer one:
# model.sampler.side, model.sampler.margin) nor what becomes of the persons who do something
# else (here an eleventh output, trained and not scored), nor the epochs.
_base_ = './_base_/experiments/tcnn_voc12_action.py'
