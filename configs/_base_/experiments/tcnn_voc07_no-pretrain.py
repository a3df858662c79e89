# The same network, patches and labels, from random weights; every layer trains.
_base_ = './tcnn_voc07.py'
model = dict(frozen=(), pretrained=None)
