"""Train on images and targets in memory: the steps of `tcnn fit` up to the checkpoint."""

import os.path as osp
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmengine.registry import init_default_scope

from tcnn_mm.checkpoints.loading import load_safely
from tcnn_mm.checkpoints.metadata import store_thresholds
from tcnn_mm.checkpoints.publish import publish
from tcnn_mm.checkpoints.writing import write_checkpoint
from tcnn_mm.errors import InvalidValueError
from tcnn_mm.estimator.fit_data import read_records
from tcnn_mm.estimator.image_files import write_training_set
from tcnn_mm.estimator.keep_images import store_training_images
from tcnn_mm.estimator.plan import plan_fit
from tcnn_mm.estimator.targets import Targets
from tcnn_mm.estimator.training import make_banks, read_config, train, write_config
from tcnn_mm.evaluation.thresholds import best_thresholds
from tcnn_mm.inference.inferencer import TCNNInferencer
from tcnn_mm.inference.inputs import OneImage
from tcnn_mm.inference.score_images import score_images
from tcnn_mm.models.backbones.zoo import find_weights

# As `tcnn fit --scales`.
LARGEST_SCALE = 100


@dataclass(frozen=True)
class FitOptions:
    """Parameters of a fit; see `PatchVotingClassifier`.

    Raises:
        InvalidValueError: A list of scales without any, or with one that gives no patch.
    """

    backbone: str
    weights: str | None = None
    pixels: str | None = None
    scales: Sequence[float] | None = None
    epochs: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.scales is None:
            return
        if not len(self.scales):
            raise InvalidValueError('scales=[]: give numbers from 1 on, or None for those that fit')
        wrong = [scale for scale in self.scales if not 1 <= scale <= LARGEST_SCALE]
        if wrong:
            raise InvalidValueError(
                f'scales={list(self.scales)}: {wrong[0]} is not from 1 to {LARGEST_SCALE}: a '
                'patch has the shorter side of the image divided by it'
            )


def fit_images(
    images: Sequence[OneImage],
    targets: Targets,
    out: str,
    options: FitOptions,
    keep_files: bool = True,
    verbose: bool = False,
) -> str:
    """Train on all images; returns the path of the checkpoint, OUT/model.pth.

    Targets with several labels per image get thresholds of best F1 on the training images.

    Args:
        images: N.
        targets: Of the same N.
        out: An empty folder.
        options: Backbone, scales, epochs, seed.
        keep_files: Keep images, feature banks and logs too, not only the checkpoint.
        verbose: Show warnings of the toolbox.

    Raises:
        UserError: No weights; an image that cannot be read; no patch that an object names.
    """
    init_default_scope('mmpretrain')
    weights = find_weights(options.backbone, options.weights, options.pixels)
    data = read_records(write_training_set(images, targets, out))
    plan = plan_fit(
        data, options.backbone, weights, out, options.scales, options.seed, options.epochs
    )
    path = write_config(plan)
    make_banks(path, plan)
    checkpoint = osp.join(out, 'model.pth')
    publish(train(path, 'WARNING' if verbose else 'ERROR'), checkpoint)
    store_training_images(read_config(path), checkpoint)
    if not targets.single:
        scores = score_images(TCNNInferencer(checkpoint=checkpoint), images)
        values, _ = best_thresholds(scores, targets.matrix())
        store_thresholds(
            checkpoint,
            dict(zip(data.classes, values.tolist(), strict=True)),
            f'the {len(images)} training images',
        )
    if not keep_files:
        for name in ('banks', 'images', 'run'):
            shutil.rmtree(osp.join(out, name), ignore_errors=True)
    return checkpoint


def store_estimator(checkpoint: str, record: Mapping[str, Any]) -> None:
    """Add what an estimator is restored from, as `meta['tcnn_mm']['estimator']`.

    Args:
        checkpoint: The file; it is replaced.
        record: Plain types.
    """
    content = load_safely(checkpoint)
    content['meta']['tcnn_mm']['estimator'] = dict(record)
    write_checkpoint(checkpoint, content)
