"""Base of the metrics that read image scores: one checked row per item."""

import os.path as osp
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from mmengine.evaluator import BaseMetric

from tcnn_mm.datasets.image_ids import printable
from tcnn_mm.errors import InvalidValueError, UserError


class ScoreTable(BaseMetric):
    """Collects (key, scores) of each item of a data set, in the order of the data set.

    A data sample holds `pred_score` (K,), `img_id` (or `img_path`, whose name without extension
    is taken) and, for one of several objects of an image, `object_index`.

    Attributes, on the main process after `evaluate`:
        scores (tuple): ids (N,), class names (K,), scores (N, K) float64; rows in the order of
            the data set.
        report (dict): An entry of voc_ap.json; empty for a metric that computes no AP.
    """

    scores: tuple[list[str], list[str], np.ndarray] = ([], [], np.zeros((0, 0)))
    report: dict[str, Any] = {}
    work_dir = ''

    def set_work_dir(self, folder: str) -> None:
        """Set the folder of relative paths, for metrics that write files."""
        self.work_dir = folder

    def class_names(self) -> list[str]:
        """Return the names of the K classes."""
        classes = (self.dataset_meta or {}).get('classes')
        if not classes:
            raise UserError(
                f'{type(self).__name__}: the data set names no classes; give it '
                'metainfo=dict(classes=(…))'
            )
        return list(classes)

    def sample_key(self, sample: dict[str, Any]) -> tuple[str, ...]:
        """Return (image id,), or (image id, object number) where an item is an object."""
        if sample.get('img_id') is not None:
            image_id = str(sample['img_id'])
        elif sample.get('img_path') is not None:
            image_id = printable(osp.splitext(osp.basename(sample['img_path']))[0])
        else:
            raise UserError(
                f'{type(self).__name__}: a data sample has neither img_id nor img_path; add one '
                'to the meta_keys of the packing transform'
            )
        number = sample.get('object_index')
        return (image_id,) if number is None else (image_id, str(number))

    def sample_id(self, sample: dict[str, Any]) -> str:
        """Return the `id` of image_scores.csv: `img_id` or `img_id/object_index`."""
        return '/'.join(self.sample_key(sample))

    def sample_scores(self, sample: dict[str, Any], num_classes: int) -> np.ndarray:
        """Return the checked scores of a sample, (K,) float64.

        Raises:
            UserError: No scores, or not K of them.
            InvalidValueError: NaN or infinity.
        """
        name, sample_id = type(self).__name__, self.sample_id(sample)
        if 'pred_score' not in sample:
            raise UserError(f'{name}: {sample_id} has no pred_score, the scores of a model')
        scores = to_numpy(sample['pred_score']).astype(np.float64)
        if scores.shape != (num_classes,):
            raise UserError(
                f'{name}: pred_score of {sample_id} has shape {scores.shape}, the data set '
                f'has {num_classes} classes (background is no class)'
            )
        if not np.isfinite(scores).all():
            raise InvalidValueError(
                f'{name}: pred_score of {sample_id} has NaN or infinity; nothing is scored'
            )
        return scores


def to_numpy(values: torch.Tensor | np.ndarray | Iterable[Any]) -> np.ndarray:
    """Convert a tensor of any device, a sequence or a set to an array of at least one dimension."""
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu()
        # numpy has no bfloat16.
        array = (values.double() if values.is_floating_point() else values).numpy()
    elif isinstance(values, np.ndarray):
        array = values
    else:
        array = np.array(list(values))
    return np.atleast_1d(array)


def or_none(value: float) -> float | None:
    """Replace nan by None: JSON has no nan."""
    return None if np.isnan(value) else value


def or_nan(value: float | None) -> float:
    """Replace None by nan: the toolbox's metrics are floats."""
    return float('nan') if value is None else value


def percent(value: float | None) -> str:
    """Format a fraction, or None, in per cent for a table."""
    return 'nan' if value is None else f'{100 * value:.2f}'
