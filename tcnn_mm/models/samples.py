"""Sample records: what a model reads of a `DataSample`."""

import os.path as osp
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmpretrain.structures import DataSample

from tcnn_mm.datasets.image_ids import printable
from tcnn_mm.datasets.image_labels import image_labels
from tcnn_mm.errors import InvalidValueError, NotFiniteError

OBJECT_FLAGS = dict(gt_bboxes_difficult='difficult', input_box='input_box')


def sample_name(sample: DataSample | Mapping[str, Any]) -> str:
    """Return the image id of a sample, with `/N` for the N-th person of an image.

    All randomness of a sample is keyed by it. Without an id it is the name of the image file,
    wherever that file lies.
    """
    name = sample.get('img_id')
    name = printable(osp.basename(str(sample.get('img_path')))) if name is None else str(name)
    number = sample.get('object_index')
    return name if number is None else f'{name}/{number}'


def object_flags(sample: DataSample | None) -> dict[str, np.ndarray]:
    """Return what a sampler is told of a sample's objects beside boxes and labels.

    Keys: `difficult` (N,) bool and `input_box` (4,) float32 xyxy, where the sample has them.
    """
    return {
        flag: torch.as_tensor(sample.get(name)).cpu().numpy()
        for name, flag in OBJECT_FLAGS.items()
        if sample is not None and name in sample
    }


def sample_labels(sample: DataSample, num_classes: int) -> np.ndarray:
    """Return the per-class labels (K,) int64 of an image: 1 present, 0 difficult only, -1 absent.

    Data sets of ours put them into the sample (`image_labels`); of other data sets' samples they
    follow from `gt_label` and, where present, `gt_label_difficult`.
    """
    if 'image_labels' in sample:
        labels = torch.as_tensor(sample.image_labels).cpu().numpy().astype(np.int64)
        if len(labels) != num_classes:
            raise InvalidValueError(
                f'{sample_name(sample)}: labels of {len(labels)} classes, model.head.num_classes='
                f'{num_classes}; set it to the classes of the data'
            )
        return labels
    return image_labels(sample.gt_label, sample.get('gt_label_difficult', ()), num_classes)


def batch_labels(samples: Sequence[DataSample], num_classes: int) -> torch.Tensor:
    """Return the labels (B, K) int64 of a batch of images, as of :func:`sample_labels`."""
    return torch.from_numpy(np.stack([sample_labels(sample, num_classes) for sample in samples]))


def set_patches(sample: DataSample, boxes: np.ndarray, scores: torch.Tensor) -> None:
    """Add `patch_boxes` (P, 4) and `patch_scores` (P, K) to a sample, on the scores' device."""
    sample.set_field(torch.from_numpy(boxes.copy()).to(scores.device), 'patch_boxes', dtype=None)
    sample.set_field(scores, 'patch_scores', dtype=None)


def refuse_not_finite(sample: DataSample, *scores: torch.Tensor) -> None:
    """Raise NotFiniteError where a score of an image is NaN or infinite; names the image."""
    if not all(bool(torch.isfinite(values).all()) for values in scores):
        raise NotFiniteError(
            f'{sample_name(sample)}: its scores are NaN or infinite: the weights are of a training '
            "that diverged, or a lower precision overflows; try model.frozen_dtype='float32'"
        )
