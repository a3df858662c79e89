"""Keep in the checkpoint of a fit what tells images that are unlike its training images.

Letters: N training images, M validation images, K classes.
"""

from typing import Any

import numpy as np
from mmengine.config import Config

from tcnn_mm.checkpoints.loading import load_safely
from tcnn_mm.checkpoints.writing import write_checkpoint
from tcnn_mm.datasets.bank_images import image_features
from tcnn_mm.datasets.feature_bank import FeatureBank
from tcnn_mm.evaluation.training_images import keep_training_images, to_record, with_reference
from tcnn_mm.registry import DATASETS


def store_training_images(
    cfg: Config,
    checkpoint: str,
    held_out: np.ndarray | None = None,
    val: np.ndarray | None = None,
) -> None:
    """Store features of training images in `meta['tcnn_mm']['training_images']`.

    Nothing is stored where they are there already, or of too few images
    (:func:`keep_training_images`).

    Args:
        cfg: Of the fit, whose data are banks.
        checkpoint: The file; it is replaced.
        held_out: (N, K) scores of the training images by heads that did not see them, in the
            order of the bank.
        val: (M, K) scores of the validation images, in the order of their bank.
    """
    content = load_safely(checkpoint)
    record = content['meta']['tcnn_mm']
    features = None if 'training_images' in record else bank_features(cfg, 'train')
    kept = None if features is None else keep_training_images(features, held_out)
    if kept is None:
        return
    others = None if val is None else bank_features(cfg, 'val')
    if val is not None and others is not None:
        kept = with_reference(kept, others, val)
    record['training_images'] = to_record(kept)
    write_checkpoint(checkpoint, content)


def bank_features(cfg: Config, role: str) -> np.ndarray | None:
    """Features (N, D) of the images of a bank; None where a data loader reads no bank of means."""
    data: Any = DATASETS.build(cfg[f'{role}_dataloader'].dataset)
    return image_features(data) if isinstance(data, FeatureBank) else None
