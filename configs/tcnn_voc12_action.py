# VOC 2012 actions: FCa and FCb on 1512-class features (paper, table 3, PRE-1512).
#
#   export TCNN_DATA=…     (holds VOCdevkit/VOC2012 with ImageSets/Action)
#   export TCNN_WEIGHTS=…  (holds source_1512.pth, trained by configs/source_1512.py)
#   tcnn train tcnn_voc12_action --amp
#   tcnn test tcnn_voc12_action work_dirs/tcnn_voc12_action/epoch_360.pth
#
# That is train → val. For test, trainval → files for the evaluation server (comp10):
#
#   tcnn train tcnn_voc12_action --server --amp
#   tcnn test tcnn_voc12_action work_dirs/tcnn_voc12_action_server/epoch_360.pth --server
#
# Expected: the paper has 68.4 mAP on test; ours is not measured, because the action images and the
# weights were unavailable.
# Time: not measured; about 3,000 patches per epoch and 3,100 at test.
# Not in the paper, which leaves it open: the side of the square (here the longer side of the box:
# model.sampler.side, model.sampler.margin), persons who do something else (here an eleventh
# output, trained and not scored), the number of epochs.
_base_ = './_base_/experiments/tcnn_voc12_action.py'
