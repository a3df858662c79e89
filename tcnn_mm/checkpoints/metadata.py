"""Checkpoint metadata: all that prediction needs beside the weights."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from tcnn_mm.checkpoints.loading import load_safely
from tcnn_mm.checkpoints.record_types import is_number, short
from tcnn_mm.checkpoints.weight_paths import local_path
from tcnn_mm.checkpoints.writing import write_checkpoint
from tcnn_mm.errors import UserError
from tcnn_mm.patches.geometry import DAMPING


def model_record(model: Any) -> dict[str, Any] | None:
    """Describe how a model prepares, cuts and scores images, in plain types.

    Args:
        model: A `PatchModel`. Of a plain classifier (a source network) the preprocessing of its
            backbone is recorded alone.

    Returns:
        preprocessing, sampler, grid, aggregator, feature_mode, dense_tile, dense_scales,
        frozen; None for a source network without preprocessing of its own.
    """
    if not hasattr(model, 'sampler'):
        pixels = getattr(model.backbone, 'preprocessing', None)
        return dict(preprocessing=_plain(pixels)) if pixels else None
    sampler, grid = model.sampler, getattr(model.sampler, 'grid', None)
    aggregator, scales = model.aggregator, model.encoder.dense_scales
    return dict(
        preprocessing=_plain(model.preprocessing),
        # Of a sampler without grid, all of it: ObjectSquareSampler's side and margin.
        sampler=dict(type=type(sampler).__name__, **({} if grid else _plain(vars(sampler)))),
        grid=_plain({k: v for k, v in vars(grid).items() if k[0] != '_'}) if grid else None,
        aggregator=dict(type=type(aggregator).__name__, **_plain(vars(aggregator))),
        feature_mode=model.feature_mode,
        dense_tile=model.encoder.dense_tile,
        dense_scales=scales and list(scales),
        frozen=[n for n, p in model.named_parameters() if not p.requires_grad],
    )


def map_damping(record: Mapping[str, Any], config: Mapping[str, Any] | None = None) -> float:
    """Damping of localization maps where the user gives none; see :func:`mean_score_map`.

    Args:
        record: `meta['tcnn_mm']` of the checkpoint.
        config: Of the experiment, read where the record is older than its entry `damping`.

    Returns:
        The record's damping, else that of the config's first test metric that has one, else
        `DAMPING`.
    """
    found = record.get('damping')
    if found is None and config is not None:
        found = configured_damping(config)
    return float(DAMPING if found is None else found)


def configured_damping(config: Mapping[str, Any]) -> float | None:
    """Damping of the config's first test metric that has one; None without.

    Raises:
        UserError: It is no number from 0 on.
    """
    metrics = config.get('test_evaluator') or []
    for metric in metrics if isinstance(metrics, (list, tuple)) else [metrics]:
        damping = metric.get('damping') if isinstance(metric, Mapping) else None
        if damping is not None:
            if not is_number(damping) or damping < 0:
                raise UserError(
                    f'test_evaluator: damping={short(damping)}, expected a number from 0 on'
                )
            return float(damping)
    return None


def reads_upright(config: Any) -> bool:
    """Whether a config's data loaders turn images by their EXIF orientation.

    Args:
        config: A config, or a part of one: searched for a `LoadVOCObjects` with `upright=True`.
    """
    if isinstance(config, Mapping):
        loads = str(config.get('type', '')).rpartition('.')[2] == 'LoadVOCObjects'
        return bool(loads and config.get('upright')) or any(map(reads_upright, config.values()))
    return isinstance(config, (list, tuple)) and any(map(reads_upright, config))


def store_thresholds(
    path: str | os.PathLike,
    thresholds: Mapping[str, float | None],
    chosen_on: str | None = None,
    calibration: Mapping[str, Sequence[float] | None] | None = None,
    trust: bool = False,
) -> None:
    """Write what turns scores into labels and probabilities into a checkpoint.

    Thresholds per class are `meta['tcnn_mm']['thresholds']`, calibrations `…['calibration']`.

    Args:
        path: The checkpoint's file; it is replaced.
        thresholds: Class → smallest image score at which it is predicted; None (or nan) where
            none could be chosen: such a class is never predicted.
        chosen_on: The data they were chosen on, in words, e.g. '60 images of val'; kept as
            `thresholds_chosen_on`.
        calibration: Class → slope and offset of its log-odds
            (:class:`~tcnn_mm.evaluation.calibration.Calibration`), chosen on the same data; None
            for a class without. Defaults to none at all.
        trust: See :func:`load_safely`.

    Raises:
        UserError: No checkpoint of a `PatchModel`; other classes than the checkpoint's.
    """
    checkpoint = load_safely(path, trust=trust)
    meta = checkpoint.get('meta') or {}
    if 'grid' not in (meta.get('tcnn_mm') or {}):
        raise UserError(
            f"{path}: has no meta['tcnn_mm'], which CheckpointMetaHook writes; thresholds are for "
            'checkpoints of a PatchClassifier'
        )
    classes = list((meta.get('dataset_meta') or {}).get('classes') or ())
    wrong = sorted(set(classes) ^ set(thresholds))
    if wrong:
        raise UserError(
            f'{path}: thresholds are needed for {", ".join(classes) or "no class"}; '
            f'{wrong[0]!r} is {"missing" if wrong[0] in classes else "none of them"}'
        )
    values = {name: thresholds[name] for name in classes}
    meta['tcnn_mm']['thresholds'] = {
        name: None if value is None or value != value else float(value)
        for name, value in values.items()
    }
    for key in ('thresholds_chosen_on', 'calibration'):
        meta['tcnn_mm'].pop(key, None)
    if calibration is not None:
        meta['tcnn_mm']['calibration'] = {
            name: None if calibration[name] is None else [float(v) for v in calibration[name] or ()]
            for name in classes
        }
    if chosen_on:
        meta['tcnn_mm']['thresholds_chosen_on'] = str(chosen_on)
    write_checkpoint(local_path(str(path)), checkpoint)


def _plain(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """Turn tuples into lists, so that the checkpoint stays readable as data only."""
    return {key: list(v) if isinstance(v, (tuple, list)) else v for key, v in mapping.items()}
