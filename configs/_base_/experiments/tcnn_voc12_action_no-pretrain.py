# The same network and patches, from random weights; every layer trains.
_base_ = './tcnn_voc12_action.py'
model = dict(frozen=(), pretrained=None)
server = dict(test_evaluator=[dict(type='tcnn_mm.VOCSubmission', comp='comp9')])
