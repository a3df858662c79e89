# The paper's own network (96-256-384-384-256, response normalisation), trained by our source
# recipes: RGB, their mean, std 1. Leaves set `pretrained`.
_base_ = './tcnn_alexnet.py'
model = dict(
    backbone=dict(
        variant='krizhevsky',
        preprocessing=dict(mean=(123.675, 116.28, 103.53), channel_order='rgb'),
    ),
)
