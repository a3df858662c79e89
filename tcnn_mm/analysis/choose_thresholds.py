"""Choose the score from which on each class is named, and store it in the checkpoint."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset

from tcnn_mm.analysis.prediction_cache import image_scores
from tcnn_mm.checkpoints.config_text import read_config_text
from tcnn_mm.checkpoints.loading import load_safely
from tcnn_mm.checkpoints.strict import check_classes
from tcnn_mm.compat import registered_names_only
from tcnn_mm.datasets.source_images import image_config
from tcnn_mm.errors import UserError
from tcnn_mm.evaluation.calibration import Calibration, calibrate_classes
from tcnn_mm.evaluation.thresholds import best_thresholds
from tcnn_mm.inference.trained_model import load_trained_model
from tcnn_mm.models.samples import sample_name
from tcnn_mm.registry import DATASETS


@dataclass
class Thresholds:
    """The thresholds of highest F1 on a validation set, and its calibration.

    Attributes:
        classes (list[str]): K names.
        values, f1 (ndarray): (K,); NaN for a class without positives.
        calibration (dict, optional): Class → :class:`Calibration` or None. None where some of the
            images were trained on: their scores would make every class look surer than it is.
        positives (ndarray): (K,) images per class.
        images (int): Of the validation set.
        trained_on (int | None): Of these images; None where the training data are unavailable.
    """

    classes: list[str]
    values: np.ndarray
    f1: np.ndarray
    calibration: dict[str, Calibration | None] | None
    positives: np.ndarray
    images: int
    trained_on: int | None

    def lines(self) -> list[str]:
        """One line per class."""
        wide = max(map(len, [*self.classes, 'class']))
        lines = [f'{"class":{wide}}  threshold     F1  positives']
        for name, t, f, n in zip(self.classes, self.values, self.f1, self.positives, strict=True):
            never = '  never named' if np.isnan(t) else ''
            lines.append(f'{name:{wide}}  {t:9.3g}  {f:5.3f}  {n:9d}{never}')
        return lines


def image_ids(dataset: BaseDataset) -> list[str]:
    """Image id, or else the file name, of each item."""
    infos = (dataset.get_data_info(i) for i in range(len(dataset)))
    return [sample_name(info) for info in infos]


def count_trained_on(checkpoint: str, ids: Sequence[str], trust: bool = False) -> int | None:
    """Count the images that a checkpoint was trained on; None where its data are unavailable."""
    cfg = read_config_text(load_safely(checkpoint, trust=trust)['meta']['cfg'], checkpoint)
    try:
        with registered_names_only():  # the config of a checkpoint is data
            dataset = DATASETS.build(image_config(cfg.train_dataloader.dataset))
    except UserError as error:
        print(f'the training images of {checkpoint} are unavailable: {error}')
        return None
    known = set(image_ids(dataset))
    return sum(name in known for name in ids)


def choose_thresholds(
    checkpoint: str, dataset_config: dict[str, Any], trust: bool = False
) -> Thresholds:
    """Score a validation set with the model of a checkpoint and choose thresholds.

    Args:
        checkpoint: Its model is built from the checkpoint itself.
        dataset_config: Of the validation set.
        trust: See :func:`load_safely`.

    Raises:
        UserError: The data set has other classes than the checkpoint.
    """
    trained = load_trained_model(checkpoint, trust=trust)
    dataset = DATASETS.build(dataset_config)
    found = list(dataset.metainfo['classes'])
    check_classes(
        dict(meta=dict(dataset_meta=dict(classes=trained.classes))),
        found,
        checkpoint,
        'the data set',
    )
    ids = image_ids(dataset)
    rows = image_scores(trained.model, dataset)
    values, f1 = best_thresholds(rows['scores'], rows['labels'])
    trained_on = count_trained_on(checkpoint, ids, trust)
    calibration = None
    if not trained_on:
        curves = calibrate_classes(rows['scores'], rows['labels'])
        calibration = dict(zip(found, curves, strict=True))
    return Thresholds(
        classes=found,
        values=values,
        f1=f1,
        calibration=calibration,
        positives=(rows['labels'] == 1).sum(0),
        images=len(ids),
        trained_on=trained_on,
    )
