# The same network, patches, labels and number of steps from random weights; every layer trains.
_base_ = './tcnn_minivoc.py'
model = dict(frozen=(), pretrained=None)
optim_wrapper = dict(optimizer=dict(lr=0.01))
