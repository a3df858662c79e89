# The same network, patches and labels, from random weights; every layer trains.
_base_ = './tcnn_voc12.py'
model = dict(frozen=(), pretrained=None)
server = dict(test_evaluator=[dict(type='tcnn_mm.VOCSubmission', comp='comp1')])
