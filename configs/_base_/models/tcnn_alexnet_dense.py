# AlexNet in dense mode for feature banks: convolutions once per scale, FC6 and FC7 for each window,
# a window every 96 pixels of its resized image.
_base_ = './tcnn_alexnet.py'
model = dict(
    frozen_dtype='bfloat16',
    feature_mode='dense',
    sampler=dict(grid=dict(stride=96), num_patches=None),
)
