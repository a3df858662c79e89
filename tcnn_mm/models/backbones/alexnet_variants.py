"""Sizes of the AlexNet variants, and names and shapes of their weight files."""

from typing import Any, NamedTuple

import torch


class Variant(NamedTuple):
    """Sizes of a network: channels of C1…C5, (kernel, stride, padding) of C1, kernel of C2, width
    of FC6 and FC7, side of the C5 grid after pooling, preprocessing of its weights, and the layers
    with dropout on their inputs."""

    channels: tuple[int, int, int, int, int]
    stem: tuple[int, int, int]
    second: int
    fc_channels: int
    grid: int
    preprocessing: dict[str, Any]
    dropout: tuple[str, ...] = ('FC6', 'FC7')


VARIANTS = {
    'torchvision': Variant(
        channels=(64, 192, 384, 256, 256),
        stem=(11, 4, 2),
        second=5,
        fc_channels=4096,
        grid=6,
        preprocessing=dict(
            size=224,
            mean=(123.675, 116.28, 103.53),
            std=(58.395, 57.12, 57.375),
            channel_order='rgb',
        ),
    ),
    'krizhevsky': Variant(
        channels=(96, 256, 384, 384, 256),
        stem=(11, 4, 2),
        second=5,
        fc_channels=4096,
        grid=6,
        # Krizhevsky drops the outputs of FC6 and FC7; that of FC7 is the head's to drop.
        dropout=('FC7',),
        # Caffe's means; a net of our own recipe (source_in1k) overrides the order with 'rgb'.
        preprocessing=dict(
            size=224, mean=(104.0, 117.0, 123.0), std=(1.0, 1.0, 1.0), channel_order='bgr'
        ),
    ),
    'small': Variant(
        channels=(32, 64, 96, 96, 64),
        stem=(5, 2, 2),
        second=3,
        fc_channels=256,
        grid=3,
        preprocessing=dict(
            size=64, mean=(127.5, 127.5, 127.5), std=(64.0, 64.0, 64.0), channel_order='rgb'
        ),
    ),
}

# Caffe's layer names (BVLC AlexNet, CaffeNet) against torchvision's.
CAFFE_NAMES = {
    'conv1': 'features.0',
    'conv2': 'features.3',
    'conv3': 'features.6',
    'conv4': 'features.8',
    'conv5': 'features.10',
    'fc6': 'classifier.1',
    'fc7': 'classifier.4',
    'fc8': 'classifier.6',
}


def expand_groups(weight: torch.Tensor, in_channels: int) -> torch.Tensor:
    """Expand the weight of a grouped convolution to an ungrouped one, with zeros between groups.

    Args:
        weight (Tensor): (O, I/G, k, k), the weight of a convolution with G groups.
        in_channels (int): I, the input channels of the ungrouped convolution.

    Returns:
        Tensor: (O, I, k, k); the two convolutions give the same output.
    """
    out_channels, per_group = weight.shape[:2]
    groups = in_channels // per_group
    full = weight.new_zeros(out_channels, in_channels, *weight.shape[2:])
    for g in range(groups):
        rows = slice(g * out_channels // groups, (g + 1) * out_channels // groups)
        full[rows, g * per_group : (g + 1) * per_group] = weight[rows]
    return full
