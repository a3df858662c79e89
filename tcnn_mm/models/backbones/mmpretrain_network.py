"""A classifier of mmpretrain's index as a backbone: its network, neck and pixels, of its config."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import torch
from mmengine.config import Config
from mmengine.config.utils import ConfigParsingError
from mmengine.registry import DefaultScope
from mmpretrain.models.necks import GlobalAveragePooling
from torch import nn

from tcnn_mm.checkpoints.mmpretrain_index import MMPRETRAIN, index_entry
from tcnn_mm.errors import InvalidValueError, UserError
from tcnn_mm.models.backbones.last_layer import Features, crop_features, dense_features
from tcnn_mm.models.encoder.frozen import run_layers
from tcnn_mm.models.encoder.probe import probe_map
from tcnn_mm.registry import MODELS

# Entries of a test pipeline that say the side of its last crop.
_SIDES = ('crop_size', 'scale')
_INSTEAD = "other networks: tcnn weights list 'mmpretrain:*'"


class Network(NamedTuple):
    """What a config says of a classifier.

    Attributes:
        backbone: Its config, with mmpretrain's name before the type.
        neck: The same; None for none.
        pixels: `size` of a patch, `mean` and `std` in grey levels 0–255, `channel_order`.
    """

    backbone: dict[str, Any]
    neck: dict[str, Any] | None
    pixels: dict[str, Any]


@cache
def mmpretrain_network(name: str) -> Network:
    """Read the config of a classifier.

    Args:
        name: Of the index, e.g. 'resnet50_8xb32_in1k'.

    Raises:
        UserError: A config that mmengine cannot read; a classifier without a backbone of its own;
            one whose backbone ends with scores; one whose neck reads several maps; no size of
            the images.
    """
    shown = f'{MMPRETRAIN}:{name}'
    cfg = _read_config(index_entry(name).config, shown)
    model = cfg['model']
    if not isinstance(model.get('backbone'), Mapping):
        raise UserError(f'{shown}: {model["type"]} has no backbone of its own; {_INSTEAD}')
    if model['head']['type'].rpartition('.')[2] == 'ClsHead':  # the one without layers
        raise UserError(
            f'{shown}: its backbone ends with the scores of its own classes, not with features; '
            + _INSTEAD
        )
    neck = model.get('neck')
    if isinstance(neck, Sequence):
        kinds = ', '.join(part['type'] for part in neck)
        raise UserError(
            f'{shown}: its necks ({kinds}) read several maps, and patches are described by the '
            f'last one; {_INSTEAD}'
        )
    return Network(
        backbone=_scoped(model['backbone']),
        neck=_scoped(neck) if neck else None,
        pixels=_pixels(cfg, shown),
    )


def _read_config(path: str, shown: str) -> dict[str, Any]:
    """A config with its bases, as plain types; nothing that it names is imported.

    Raises:
        UserError: mmengine does not read it, as those that import modules.
    """
    try:
        return Config.fromfile(path, import_custom_modules=False).to_dict()
    except (RuntimeError, ConfigParsingError, OSError) as error:
        first = str(error).partition('. ')[0]
        raise UserError(
            f'{shown}: its config {path} cannot be read: {first}; {_INSTEAD}'
        ) from error


def _scoped(part: Mapping[str, Any]) -> dict[str, Any]:
    """A part with mmpretrain's name before its type, and without what would load other weights."""
    kind = part['type'] if '.' in part['type'] else f'{MMPRETRAIN}.{part["type"]}'
    rest = {key: value for key, value in part.items() if key not in ('type', 'init_cfg')}
    return dict(type=kind, **rest)


def _pixels(cfg: Mapping[str, Any], shown: str) -> dict[str, Any]:
    """What the weights of a config expect.

    Raises:
        UserError: Its pipelines crop no image to a size.
    """
    own = cfg['model'].get('data_preprocessor') or cfg.get('data_preprocessor') or {}
    pipeline = cfg['test_dataloader']['dataset']['pipeline']
    # CIFAR's images are tested as they are, and cropped to their own size in training.
    size = _crop_size(pipeline) or _crop_size(cfg['train_dataloader']['dataset']['pipeline'])
    if size is None:
        raise UserError(f'{shown}: its config crops no image to a size; {_INSTEAD}')
    # Files are read as BGR; data sets without files, as CIFAR, have RGB.
    reads_files = any(step['type'] == 'LoadImageFromFile' for step in pipeline)
    return dict(
        size=size,
        mean=tuple(map(float, own.get('mean') or (0, 0, 0))),
        std=tuple(map(float, own.get('std') or (1, 1, 1))),
        channel_order='bgr' if reads_files and not own.get('to_rgb') else 'rgb',
    )


def _crop_size(pipeline: Sequence[Mapping[str, Any]]) -> int | None:
    """Side of the images after the last transform of a pipeline that sets it; None without one."""
    sides = [
        step[key]
        for step in pipeline
        for key in _SIDES
        if isinstance(step, Mapping) and key in step
    ]
    if not sides:
        return None
    return int(sides[-1][-1] if isinstance(sides[-1], Sequence) else sides[-1])


def mmpretrain_features(name: str, size: int) -> Features:
    """The last map of a classifier, or the features that its head gets.

    Args:
        name: Of the index.
        size: Of a patch, pixels.

    Raises:
        UserError: No vector describes a patch; see also :func:`mmpretrain_network`.
    """
    cfg = mmpretrain_network(name)
    with DefaultScope.overwrite_default_scope(MMPRETRAIN):
        backbone = MODELS.build(cfg.backbone)
        neck = MODELS.build(cfg.neck) if cfg.neck else None
    backbone.eval()  # a statement: mmpretrain's backbones return nothing from it
    problem = _vector_problem(backbone, neck, size)
    if problem:
        raise UserError(f'{MMPRETRAIN}:{name}: {problem}; {_INSTEAD}')
    if type(neck) is not GlobalAveragePooling:
        return crop_features(cfg.backbone, 'its features are no mean of a map', cfg.neck)
    probe = probe_map(backbone, size)
    if not probe.dense:
        return crop_features(cfg.backbone, probe.reason, cfg.neck)
    return dense_features(cfg.backbone, 'its last map', probe.stride)


@torch.no_grad()
def _vector_problem(backbone: nn.Module, neck: nn.Module | None, size: int) -> str:
    """Why backbone and neck do not describe a patch by one vector; '' where they do."""
    patch = torch.zeros(1, 3, size, size)
    last = backbone(patch)[-1]
    if not isinstance(last, torch.Tensor):
        return f'its backbone ends with {len(last)} features, and one describes a patch'
    try:
        last = run_layers(backbone, patch, ['backbone'])
    except InvalidValueError as error:
        return str(error)
    out = neck((last,))[-1] if neck is not None else last
    return '' if out.dim() == 2 else f'its features of a patch are {tuple(out.shape)}, no vector'
