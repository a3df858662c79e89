# A small AlexNet from random weights on 64-px patches of VOC 2007.
# It is the row "no pretraining" of a learning curve, as far as a CPU can train it.
#
#   tcnn train mixing/tcnn_small_voc07_no-pretrain
#   python tools/analysis_tools/learning_curve.py configs/mixing/tcnn_mobilenetv2_voc07_banks.py \
#       --scratch configs/mixing/tcnn_small_voc07_no-pretrain.py --scratch-minutes 5
#
# Expected figure and time: not measured.
# Not as in the paper: its NO PRETRAIN is the whole AlexNet at 224 px, trained for days
# (tcnn_voc07_no-pretrain).
_base_ = [
    '../_base_/models/tcnn_alexnet_small.py',
    '../_base_/datasets/voc07.py',
    '../_base_/schedules/three_stages.py',
    '../_base_/default_runtime.py',
]
model = dict(head=dict(num_classes=20), frozen=(), pretrained=None, sampler=dict(num_patches=4))
