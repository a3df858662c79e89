# The small shipped network in dense mode for feature banks: a window every 16 pixels.
_base_ = './tcnn_alexnet_small.py'
model = dict(feature_mode='dense', sampler=dict(grid=dict(stride=16), num_patches=None))
