"""Networks by short names, with their weight files and the pixels that each file expects."""

import glob
import os
import os.path as osp
import re
from typing import NamedTuple

import torchvision

from tcnn_mm.checkpoints.weight_paths import file_digest
from tcnn_mm.errors import UserError
from tcnn_mm.models.backbones.torchvision_backbone import IMAGENET

PIXELS = {
    'imagenet': dict(mean=IMAGENET['mean'], std=IMAGENET['std']),
    'tf': dict(mean=(127.5,) * 3, std=(127.5,) * 3),
    'caffe': dict(mean=(123.0, 117.0, 104.0), std=(1.0,) * 3),
}


class Backbone(NamedTuple):
    """A short name: its config below `configs/_base_/models`, the weight file that the pixels of
    that config belong to (None: any of torchvision's), learning rate, the sampler of weak
    training; and the last layer of a network of torchvision that the config leaves open."""

    config: str
    weights: str | None = None
    lr: float = 0.01
    window_step: int = 32
    layer: str | None = None


BACKBONES = {
    'minivoc': Backbone('tcnn_alexnet_small_dense.py', 'tcnn_mm://minivoc_source.pth', 0.1, 16),
    'mobilenet_v2': Backbone(
        'tcnn_mobilenetv2.py', 'mobilenet_v2_tf2_int8deq_imagenet.pth'
    ),
    'squeezenet1_0': Backbone('tcnn_squeezenet.py', 'squeezenet1_0_deepcompression_imagenet.pth'),
    'alexnet': Backbone('tcnn_alexnet_dense.py', 'alexnet-owt-7be5be79.pth'),
}  # fmt: skip
# Networks of torchvision whose last map follows a ReLU. Squeeze-and-excitation and attention mix
# the whole input into each cell, which dense mode refuses; ConvNeXt normalises after its pooling.
LAST_LAYERS = {
    'layer4': 'resnet18 resnet34 resnet50 resnet101 resnet152 resnext50_32x4d resnext101_32x8d '
    'resnext101_64x4d wide_resnet50_2 wide_resnet101_2',
    'trunk_output': 'regnet_x_400mf regnet_x_800mf regnet_x_1_6gf regnet_x_3_2gf regnet_x_8gf '
    'regnet_x_16gf regnet_x_32gf',
    'features': 'vgg11_bn vgg13_bn vgg16_bn vgg19_bn squeezenet1_1',
}
BACKBONES |= {
    name: Backbone('tcnn_pooled.py', layer=layer)
    for layer, names in LAST_LAYERS.items()
    for name in names.split()
}


class Weights(NamedTuple):
    """`model`: entries for a config's model (pretrained, perhaps preprocessing); `said`."""

    model: dict
    said: str


def is_torchvisions(path):
    """Whether a file is one of torchvision's downloads: its name ends in its own sha256."""
    named = re.search(r'-([0-9a-f]{8})\.pth$', osp.basename(path))
    return bool(named) and file_digest(path).startswith(named.group(1))


def find_weights(name, path=None, pixels=None):
    """The weight file of a network, and what pixels it expects: known, never guessed.

    Args:
        name (str): A key of :data:`BACKBONES`.
        path (str, optional): The file. Defaults to what lies in TCNN_WEIGHTS: the file that the
            short name's config names, else one of torchvision's.
        pixels (str, optional): A key of :data:`PIXELS`, for a file of unknown origin.

    Returns:
        Weights

    Raises:
        UserError: An unknown name; no file; a file of unknown pixels.
    """
    if name not in BACKBONES:
        raise UserError(f'--backbone {name}: choose from {", ".join(BACKBONES)}')
    backbone = BACKBONES[name]
    if name == 'minivoc' and not path:
        return Weights({}, f'{backbone.weights} (ships with the package)')
    folder = os.environ.get('TCNN_WEIGHTS', 'checkpoints')
    torchvisions = 'alexnet-owt' if name == 'alexnet' else name
    if path is None:
        own = [osp.join(folder, backbone.weights)] if backbone.weights else []
        found = own + sorted(glob.glob(osp.join(folder, f'{torchvisions}-*.pth')))
        path = next(filter(osp.isfile, found), None)
        if path is None:
            wanted = ' and '.join(filter(None, [backbone.weights, f'{torchvisions}-*.pth']))
            url = torchvision.models.get_model_weights(name).DEFAULT.url
            raise UserError(
                f'no weights of {name}: looked for {wanted} in '
                f'{osp.abspath(folder)} (TCNN_WEIGHTS)\n'
                f'download {url} into it, or give --weights FILE; '
                '--backbone minivoc needs no file'
            )
    if not osp.isfile(path):
        raise UserError(f'--weights {path}: no such file\nlooked for {osp.abspath(path)}')
    file = osp.basename(path)
    if pixels:
        entry, why = PIXELS[pixels], f'--pixels {pixels}'
    elif file == backbone.weights:
        entry, why = None, f'as its config {backbone.config} says'
    elif is_torchvisions(path):
        entry, why = PIXELS['imagenet'], "torchvision's own file: ImageNet mean and std"
    else:
        raise UserError(
            f'{path}: of unknown origin, so its pixels are not known; say --pixels '
            f'{{{",".join(PIXELS)}}} (imagenet: as torchvision; tf: (x - 127.5) / 127.5; caffe: '
            'minus the mean, std 1)'
        )
    model = {}
    if backbone.layer:
        kind = 'tcnn_mm.TorchvisionBackbone'
        model['backbone'] = dict(type=kind, name=name, layer=backbone.layer)
    if osp.abspath(path) != osp.abspath(osp.join(folder, backbone.weights or '')):
        model['pretrained'] = osp.abspath(path)
    if entry:
        # TensorFlow's padding needs odd sizes; the rest is torchvision's usual one.
        size = {} if pixels == 'tf' else dict(size=224)
        pixels_of_file = dict(preprocessing=dict(size, **entry))
        model['backbone'] = {**model.get('backbone', {}), **pixels_of_file}
    return Weights(model, f'{path}; pixels: {why}')
