"""Networks by name, with their weight files and the pixels that each file expects."""

import difflib
import importlib.util
import os.path as osp
from functools import cache
from typing import Any, NamedTuple

import torchvision

from tcnn_mm.checkpoints.mmpretrain_index import MMPRETRAIN, is_indexed, mmpretrain_names
from tcnn_mm.checkpoints.weight_paths import SCHEME
from tcnn_mm.checkpoints.zoo import ZOO, ZOO_SCHEME
from tcnn_mm.errors import UserError
from tcnn_mm.models.backbones.last_layer import Features, timm_features, torchvision_features
from tcnn_mm.models.backbones.mmpretrain_network import mmpretrain_features, mmpretrain_network
from tcnn_mm.models.backbones.torchvision_backbone import IMAGENET
from tcnn_mm.models.backbones.weight_files import (
    WeightFile,
    fetch_weight_file,
    is_published,
    published_file,
    shipped_file,
)

# Mean and std by the kind of training, for files of unknown origin.
PIXELS: dict[str, dict[str, Any]] = {
    'imagenet': dict(mean=IMAGENET['mean'], std=IMAGENET['std']),
    'tf': dict(mean=(127.5,) * 3, std=(127.5,) * 3),
    'caffe': dict(mean=(123.0, 117.0, 104.0), std=(1.0,) * 3),
}
_FEATURES = {
    'torchvision': torchvision_features,
    'timm': timm_features,
    MMPRETRAIN: mmpretrain_features,
}
# Of a config without a network, whose layers are found by a probe.
_OPEN = 'tcnn_pooled.py'


class Backbone(NamedTuple):
    """A network that `tcnn fit` can train on.

    Attributes:
        config: Its config below `configs/_base_/models`.
        weights: The weight file that this config's pixels belong to; None: the published one.
        lr: Learning rate of the head.
        window_step: Stride of the grid in weak training, pixels.
        source: Library that publishes weights of it: 'torchvision', 'timm' or 'mmpretrain'.
        network: Its name there.
    """

    config: str = _OPEN
    weights: str | None = None
    lr: float = 0.01
    window_step: int = 32
    source: str = 'torchvision'
    network: str = ''

    @property
    def is_open(self) -> bool:
        """Whether the config leaves open which features of which network are used."""
        return self.config == _OPEN


# Networks with a config of their own; the first column of `tcnn weights list`.
BACKBONES = {
    **{name: Backbone(f'tcnn_{name.replace("_", "-")}.py', ZOO_SCHEME + name) for name in ZOO},
    'minivoc': Backbone('tcnn_alexnet_small_dense.py', f'{SCHEME}minivoc_source.pth', 0.1, 16),
    'mobilenet_v2': Backbone(
        'tcnn_mobilenetv2.py', 'mobilenet_v2_tf2_int8deq_imagenet.pth', network='mobilenet_v2'
    ),
    'squeezenet1_0': Backbone(
        'tcnn_squeezenet.py', 'squeezenet1_0_deepcompression_imagenet.pth', network='squeezenet1_0'
    ),
    'alexnet': Backbone('tcnn_alexnet_dense.py', 'alexnet-owt-7be5be79.pth', network='alexnet'),
}


def torchvision_names() -> list[str]:
    """Networks of torchvision that classify images."""
    return torchvision.models.list_models(module=torchvision.models)


@cache
def timm_names() -> tuple[str, ...]:
    """Networks that timm publishes weights of, with the tags of the weights; () without timm."""
    if importlib.util.find_spec('timm') is None:
        return ()
    import timm

    return tuple(timm.list_pretrained())


def library_names() -> list[str]:
    """Names with a library before them: `timm:NAME`, `mmpretrain:NAME`."""
    return [
        *(f'timm:{name}' for name in timm_names()),
        *(f'{MMPRETRAIN}:{name}' for name in mmpretrain_names()),
    ]


def find_backbone(name: str) -> Backbone:
    """The network of a name: of our table, else torchvision's, else timm's.

    Args:
        name: Perhaps with `torchvision:` or `timm:` before it, where both have one; always with
            `mmpretrain:` for those of its index.

    Raises:
        UserError: An unknown name; names the nearest ones.
    """
    if name in BACKBONES:
        return BACKBONES[name]
    source, _, network = name.rpartition(':')
    if source == MMPRETRAIN and is_indexed(network):
        return Backbone(source=MMPRETRAIN, network=network)
    if source in ('', 'torchvision') and network in torchvision_names():
        return Backbone(network=network)
    timm = timm_names()
    bare = {full.partition('.')[0] for full in timm}
    if source in ('', 'timm') and (network in bare or network in timm):
        return Backbone(source='timm', network=network)
    near = _near_names(source, network, [*BACKBONES, *torchvision_names(), *sorted(bare)])
    more = '' if timm else "; for timm's networks: pip install 'tcnn_mm[timm]'"
    raise UserError(
        f'no backbone {name}; '
        + (f'near it: {", ".join(near)}' if near else 'all of them: tcnn weights list')
        + ('' if source == MMPRETRAIN else more)
    )


def _near_names(source: str, network: str, known: list[str]) -> list[str]:
    """Names like one that does not exist: of mmpretrain's where it is asked for, else of `known`.

    Names of mmpretrain that begin with it come first.
    """
    theirs = mmpretrain_names()
    if source == MMPRETRAIN:
        near = difflib.get_close_matches(network, theirs, 5, 0.5)
        return [f'{MMPRETRAIN}:{each}' for each in near]
    begun = [f'{MMPRETRAIN}:{each}' for each in theirs if each.startswith(network)][:2]
    unique = list(dict.fromkeys(known))
    return begun + difflib.get_close_matches(network.partition('.')[0], unique, 5, 0.5)


class Weights(NamedTuple):
    """Weights of a network for a config.

    Attributes:
        model: Entries for the config's model: `pretrained`, perhaps `backbone`.
        said: The file and its pixels, in words.
    """

    model: dict[str, Any]
    said: str


def weight_file(name: str, pixels: bool = True) -> WeightFile:
    """Look for the weight file of a network: that of its config, else the published one.

    Args:
        name: See :func:`find_backbone`.
        pixels: Say what it expects, though a config of mmpretrain has to be read for it.

    Raises:
        UserError: An unknown name; a network of mmpretrain that cannot be used.
    """
    backbone = find_backbone(name)
    own = backbone.weights
    if own and own.startswith((SCHEME, ZOO_SCHEME)):
        return shipped_file(name, own)
    file = published_file(name, backbone.source, backbone.network, own)
    if pixels and backbone.source == MMPRETRAIN:
        return file._replace(pixels=mmpretrain_network(backbone.network).pixels)
    return file


def find_weights(name: str, path: str | None = None, pixels: str | None = None) -> Weights:
    """The weight file of a network, and what pixels it expects: known, never guessed.

    A published file that is not there is downloaded.

    Args:
        name: See :func:`find_backbone`.
        path: The file. Defaults to that of :func:`weight_file`.
        pixels: A key of :data:`PIXELS`, for a file of unknown origin.

    Raises:
        UserError: An unknown name; no file; a file of unknown pixels.
    """
    known, backbone = weight_file(name), find_backbone(name)
    if path is None:
        path = fetch_weight_file(known)
        if known.published is None:
            return Weights({}, f'{backbone.weights} ({known.folder}; {known.licence})')
    if not osp.isfile(path):
        raise UserError(f'--weights {path}: no such file\nlooked for {osp.abspath(path)}')
    entry, reason = _pixels_of(path, known, backbone, pixels)
    model: dict[str, Any] = {}
    if osp.abspath(path) != osp.join(known.folder, backbone.weights or ''):
        model['pretrained'] = osp.abspath(path)
    if entry:
        # TensorFlow's padding needs odd sizes; the rest is torchvision's usual one.
        entry = entry if 'size' in entry or pixels == 'tf' else dict(entry, size=224)
        if backbone.source == MMPRETRAIN:  # its backbones know no pixels, the model has them
            model['preprocessing'] = entry
        else:
            model['backbone'] = dict(preprocessing=entry)
    return Weights(model, f'{path}; pixels: {reason}')


def _pixels_of(
    path: str, known: WeightFile, backbone: Backbone, pixels: str | None
) -> tuple[dict[str, Any] | None, str]:
    """What a file expects (None: what the backbone's config says), and why.

    Raises:
        UserError: Neither asked for nor known.
    """
    if pixels:
        given = PIXELS[pixels]
        if backbone.source == MMPRETRAIN and known.pixels:  # the model has no others
            given = dict(given, size=known.pixels['size'], channel_order='rgb')
        return given, f'--pixels {pixels}'
    if osp.basename(path) == backbone.weights:
        return None, f'as its config {backbone.config} says'
    if is_published(path, known):
        return known.pixels, f"{backbone.source}'s own file, as it says"
    raise UserError(
        f'{path}: of unknown origin, so its pixels are not known; say --pixels '
        f'{{{",".join(PIXELS)}}} (imagenet: as torchvision; tf: (x - 127.5) / 127.5; caffe: '
        'minus the mean, std 1)'
    )


def find_features(name: str, weights: Weights) -> Features | None:
    """The features of a network whose config leaves them open, found by a probe; None if not.

    Args:
        name: See :func:`find_backbone`.
        weights: Of it; its pixels say the size of a patch.

    Returns:
        Entries for the config's model, with those of the weights.
    """
    backbone = find_backbone(name)
    if not backbone.is_open:
        return None
    own = weights.model.get('backbone', {})
    pixels = weights.model.get('preprocessing') or own.get('preprocessing', {})
    found = _FEATURES[backbone.source](backbone.network, pixels.get('size', IMAGENET['size']))
    return found._replace(model=dict(found.model, backbone={**found.model['backbone'], **own}))
