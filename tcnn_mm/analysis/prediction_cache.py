"""Cache predictions of a data set for later analysis.

Letters: N images, P patches of all images, K classes.
"""

import os.path as osp
from collections.abc import Mapping
from typing import Any

import numpy as np
from mmengine.config import Config

from tcnn_mm.analysis.cached_arrays import Arrays, cached_arrays
from tcnn_mm.checkpoints.weight_paths import file_digest
from tcnn_mm.datasets.feature_bank import is_feature_bank
from tcnn_mm.datasets.source_images import SizedDataset
from tcnn_mm.engine.build_bank import build_bank
from tcnn_mm.inference.build_model import build_model
from tcnn_mm.inference.predict_dataset import predict_dataset
from tcnn_mm.models.patch_model import PatchModel
from tcnn_mm.registry import DATASETS


def prediction_recipe(
    cfg: Config, dataset: Mapping[str, Any], checkpoint: str | None = None
) -> dict[str, Any]:
    """Return everything that the patch scores of a data set depend on, not the aggregator."""
    model = {k: v for k, v in cfg.model.to_dict().items() if k != 'aggregator'}
    digest = file_digest(checkpoint) if checkpoint else None
    return dict(model=model, dataset=dict(dataset), checkpoint=digest)


def patch_scores(model: PatchModel, dataset: SizedDataset) -> Arrays:
    """Score all patches of all images.

    Args:
        model: With its weights.
        dataset: Images, or a bank of all their windows.

    Returns:
        `scores` (P, K) float32, `sizes` (N,) patches per image, `labels` (N, K) in {1, 0, -1},
        `ids` (N,) str.
    """
    scores, labels, ids = [], [], []
    for found in predict_dataset(model, dataset, return_patches=True):
        assert found.patch_scores is not None
        scores.append(found.patch_scores.numpy())
        labels.append(found.labels)
        ids.append(str(found.sample.img_id))
    return dict(
        scores=np.concatenate(scores),
        sizes=np.array([len(mine) for mine in scores]),
        labels=np.stack(labels),
        ids=np.array(ids),
    )


def image_scores(model: PatchModel, dataset: SizedDataset) -> Arrays:
    """Score images, or persons, as a test does.

    Args:
        model: With its weights.
        dataset: Images, or a bank of all their windows.

    Returns:
        `scores` (N, K) float64, `labels` (N, K) in {1, 0, -1}.
    """
    found = list(predict_dataset(model, dataset))
    return dict(
        scores=np.stack([one.scores for one in found]),
        labels=np.stack([one.labels for one in found]),
    )


def cached_patch_scores(
    cfg: Config,
    dataset: Mapping[str, Any],
    checkpoint: str,
    name: str,
    trust: bool = False,
) -> Arrays:
    """Return :func:`patch_scores` from `WORK_DIR/patch_scores_NAME.npz`, or compute them.

    Args:
        cfg: The experiment; a bank that the data set names is made where it is absent.
        dataset: Config of the data set.
        checkpoint: The weights.
        name: Of the file.
        trust: See :func:`load_safely`.
    """
    if is_feature_bank(dataset):
        build_bank(cfg, dataset)

    def compute() -> dict[str, np.ndarray]:
        data = DATASETS.build(dataset)
        model = build_model(cfg, checkpoint, trust, data.metainfo.get('classes') or ())
        return patch_scores(model, data)

    return cached_arrays(
        osp.join(cfg.work_dir, f'patch_scores_{name}.npz'),
        prediction_recipe(cfg, dataset, checkpoint),
        compute,
    )
