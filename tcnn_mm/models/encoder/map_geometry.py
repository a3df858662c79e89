"""Stride and windows of the map that dense mode reads patches from."""

from typing import Any

import torch
from mmpretrain.models.necks import GlobalAveragePooling
from torch import nn

from tcnn_mm.errors import InvalidValueError
from tcnn_mm.models.encoder.frozen import layer_modules, run_layers
from tcnn_mm.models.encoder.locality import local_geometry
from tcnn_mm.models.encoder.tiles import tile_geometry


def find_geometry(
    backbone: Any,
    neck: nn.Module | None,
    map_layers: list[str],
    layers_below: list[str],
    size: int,
    dense_tile: int | None = None,
) -> tuple[int, int]:
    """Return stride (pixels) and side (cells of one patch) of a network's map.

    Args:
        backbone (nn.Module): With its frozen parameters marked.
        neck (nn.Module, optional): After it.
        map_layers (list[str]): Layers that run on whole images; ['backbone'] for all.
        layers_below (list[str]): Frozen layers below the first trainable one.
        size (int): Side of a patch, pixels.
        dense_tile (int, optional): See `tiles`.

    Raises:
        InvalidValueError: The network has operations on the whole image (and no `dense_tile`),
            no pooling neck, trainable layers in its map, or an irregular stride.
    """
    if map_layers == ['backbone'] and not isinstance(neck, GlobalAveragePooling):
        raise InvalidValueError(
            f"feature_mode='dense': {type(backbone).__name__} gives a map; its windows are pooled "
            "by neck=dict(type='mmpretrain.GlobalAveragePooling'), found "
            f'{type(neck).__name__}'
        )
    if not set(map_layers) <= set(layers_below):
        raise InvalidValueError(f"feature_mode='dense' needs frozen {', '.join(map_layers)}")
    training = backbone.training
    backbone.eval()
    device = next((p.device for p in backbone.parameters()), torch.device('cpu'))

    def run(images: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return run_layers(backbone, images, map_layers)

    if dense_tile is not None:
        geometry = tile_geometry(run, size, dense_tile, device)
    else:
        modules = layer_modules(backbone, map_layers)
        geometry = local_geometry(run, backbone, modules, size, device)
    backbone.train(training)
    return geometry
