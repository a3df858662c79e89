"""Networks by short names, with their weight files and the pixels that each file expects."""

import os.path as osp
import shlex
from typing import Any, NamedTuple

from tcnn_mm.checkpoints.weight_paths import local_path
from tcnn_mm.checkpoints.zoo import ZOO, ZOO_SCHEME
from tcnn_mm.errors import UserError
from tcnn_mm.models.backbones.torchvision_backbone import IMAGENET
from tcnn_mm.models.backbones.weight_files import (
    WeightFile,
    find_weight_file,
    is_torchvision_file,
)

# Mean and std by the kind of training, for files of unknown origin.
PIXELS: dict[str, dict[str, Any]] = {
    'imagenet': dict(mean=IMAGENET['mean'], std=IMAGENET['std']),
    'tf': dict(mean=(127.5,) * 3, std=(127.5,) * 3),
    'caffe': dict(mean=(123.0, 117.0, 104.0), std=(1.0,) * 3),
}


class Backbone(NamedTuple):
    """A network that `tcnn fit` can train on.

    Attributes:
        config: Its config below `configs/_base_/models`.
        weights: The weight file that this config's pixels belong to; None: any of torchvision's.
        lr: Learning rate of the head.
        window_step: Stride of the grid in weak training, pixels.
        layer: The last layer, of a network of torchvision that the config leaves open.
    """

    config: str
    weights: str | None = None
    lr: float = 0.01
    window_step: int = 32
    layer: str | None = None


BACKBONES = {
    'minivoc': Backbone('tcnn_alexnet_small_dense.py', 'tcnn_mm://minivoc_source.pth', 0.1, 16),
    **{
        name: Backbone(f'tcnn_{name.replace("_", "-")}.py', ZOO_SCHEME + name) for name in ZOO
    },
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
    """Weights of a network for a config.

    Attributes:
        model: Entries for the config's model: `pretrained`, perhaps `backbone`.
        said: The file and its pixels, in words.
    """

    model: dict[str, Any]
    said: str


def weight_file(name: str) -> WeightFile:
    """Look for the weight file of a network: that of its config, else one of torchvision's.

    Raises:
        UserError: An unknown name.
    """
    if name not in BACKBONES:
        raise UserError(f'no backbone {name}; choose from {", ".join(BACKBONES)}')
    return find_weight_file(name, BACKBONES[name].weights)


def find_weights(name: str, path: str | None = None, pixels: str | None = None) -> Weights:
    """The weight file of a network, and what pixels it expects: known, never guessed.

    Args:
        name: A key of :data:`BACKBONES`.
        path: The file. Defaults to that of :func:`weight_file`.
        pixels: A key of :data:`PIXELS`, for a file of unknown origin.

    Raises:
        UserError: An unknown name; no file; a file of unknown pixels.
    """
    known = weight_file(name)
    backbone = BACKBONES[name]
    if name == 'minivoc' and not path:
        return Weights({}, f'{backbone.weights} (ships with the package)')
    if name in ZOO and not path:
        entry = ZOO[name]
        local_path(ZOO_SCHEME + name)
        return Weights({}, f'zoo://{name} ({entry.package}, {entry.licence})')
    if path is None:
        if known.path is None:
            raise UserError(
                f'no weights of {name}: looked for {" and ".join(known.wanted)} in {known.folder} '
                f'(TCNN_WEIGHTS)\ndownload {known.url} into it (tcnn weights get '
                f'{shlex.quote(name)}), or give --weights FILE; --backbone minivoc needs no file'
            )
        path = known.path
    if not osp.isfile(path):
        raise UserError(f'--weights {path}: no such file\nlooked for {osp.abspath(path)}')
    entry, reason = _pixels_of(path, backbone, pixels)
    model: dict[str, Any] = {}
    if backbone.layer:
        kind = 'tcnn_mm.TorchvisionBackbone'
        model['backbone'] = dict(type=kind, name=name, layer=backbone.layer)
    if osp.abspath(path) != osp.join(known.folder, backbone.weights or ''):
        model['pretrained'] = osp.abspath(path)
    if entry:
        # TensorFlow's padding needs odd sizes; the rest is torchvision's usual one.
        size = {} if pixels == 'tf' else dict(size=224)
        pixels_of_file = dict(preprocessing=dict(size, **entry))
        model['backbone'] = {**model.get('backbone', {}), **pixels_of_file}
    return Weights(model, f'{path}; pixels: {reason}')


def _pixels_of(
    path: str, backbone: Backbone, pixels: str | None
) -> tuple[dict[str, Any] | None, str]:
    """Mean and std that a file expects (None: those of the backbone's config), and why.

    Raises:
        UserError: Neither asked for nor known.
    """
    if pixels:
        return PIXELS[pixels], f'--pixels {pixels}'
    if osp.basename(path) == backbone.weights:
        return None, f'as its config {backbone.config} says'
    if is_torchvision_file(path):
        return PIXELS['imagenet'], "torchvision's own file: ImageNet mean and std"
    raise UserError(
        f'{path}: of unknown origin, so its pixels are not known; say --pixels '
        f'{{{",".join(PIXELS)}}} (imagenet: as torchvision; tf: (x - 127.5) / 127.5; caffe: '
        'minus the mean, std 1)'
    )
