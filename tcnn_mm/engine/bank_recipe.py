"""The recipe of a feature bank: everything that its numbers depend on."""

import hashlib
from collections.abc import Mapping
from typing import Any

from mmengine.dataset import BaseDataset

from tcnn_mm.checkpoints.weight_paths import file_digest
from tcnn_mm.errors import UserError
from tcnn_mm.models.patch_model import PatchModel


def plain_settings(part: Any) -> dict[str, Any]:
    """Return the public settings of a grid or labeler that JSON can hold."""
    kept = (str, int, float, bool, tuple, list, type(None))
    return {k: v for k, v in vars(part).items() if k[0] != '_' and isinstance(v, kept)}


def holds_grid(bank: Mapping[str, Any]) -> bool:
    """Whether a bank of this config holds the whole grid of each image."""
    return bool(bank.get('test_mode', False) or bank.get('windows', False))


def holds_labels(bank: Mapping[str, Any]) -> bool:
    """Whether a bank of this config holds the labels of the sampled patches."""
    return bool(bank.get('windows', False) or not bank.get('test_mode', False))


def holds_flips(bank: Mapping[str, Any]) -> bool:
    """Whether a bank of this config holds mirrored features too."""
    return bool(bank.get('flips', not holds_grid(bank)))


def bank_recipe(
    model: PatchModel,
    dataset: BaseDataset,
    bank: Mapping[str, Any],
    model_config: Mapping[str, Any],
) -> dict[str, Any]:
    """Return everything that the numbers of a bank depend on.

    Args:
        model: Built from the config.
        dataset: The source, built.
        bank: Config of the `FeatureBank`.
        model_config: Config of the model; names backbone and neck, since two layers of one
            network have the same weights.

    Raises:
        UserError: No `model.pretrained`, or a sampler without a grid.
    """
    if not model.pretrained:
        raise UserError(
            'a feature bank needs model.pretrained: the backbone would have other weights in '
            'every run'
        )
    if not hasattr(model.sampler, 'grid'):
        raise UserError(
            f'a feature bank holds the patches of a grid; {type(model.sampler).__name__} has none'
        )
    ids = [str(dataset.get_data_info(i)['img_id']) for i in range(len(dataset))]
    sampler: dict[str, Any] = dict(grid=plain_settings(model.sampler.grid))
    if holds_labels(bank):
        sampler.update(labeler=plain_settings(model.sampler.labeler), seed=bank.get('seed', 0))
        sampler['background_share'] = model.sampler.background_share
    # Banks of before these entries lack them.
    tile, scales = model.encoder.dense_tile, model.encoder.dense_scales
    dense = dict(dense_tile=tile, dense_scales=scales and list(scales))
    return dict(
        network=dict(
            backbone=model_config['backbone'],
            neck=model_config.get('neck'),
            weights=file_digest(model.pretrained),
            layers_below=list(model.encoder.layers_below),
            feature_mode=model.feature_mode,
            **{key: value for key, value in dense.items() if value is not None},
            dtype=str(model.frozen_dtype),
            preprocessing=dict(model.preprocessing),
        ),
        sampler=sampler,
        # Names and values of the file format: those of the banks that exist.
        source=dict(
            pictures=len(ids),
            ids=hashlib.sha256('\n'.join(ids).encode('utf-8', 'surrogatepass')).hexdigest()[:16],
            classes=list(dataset.metainfo['classes']),
        ),
        patches='all' if holds_grid(bank) else 'sampled, and the whole picture',
        flips=holds_flips(bank),
    )
