"""Choose the test images that a report shows for each class.

Letters: N images, K classes.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from mmengine.config import Config

from tcnn_mm.datasets.image_labels import image_labels
from tcnn_mm.datasets.remote_files import is_gone
from tcnn_mm.datasets.source_images import image_config
from tcnn_mm.errors import UserError
from tcnn_mm.inference.predict_dataset import SizedDataset
from tcnn_mm.models.samples import sample_name
from tcnn_mm.registry import DATASETS
from tcnn_mm.reports.run_artifacts import Scores

# A drawing takes a tenth of a second: 1000 classes of eight images, a quarter of an hour.
MOST_CLASSES = 50
GROUPS = ('found', 'false alarms', 'missed')


class TestImages(NamedTuple):
    """The images of a test in the order of image_scores.csv.

    Attributes:
        dataset (Dataset): The images.
        indices (ndarray): (N,) int, of each row in the data set.
        labels (ndarray): (N, K) in {1, 0, -1}.
        paths (list[str]): N files; '' where the data set has none.
    """

    dataset: SizedDataset
    indices: np.ndarray
    labels: np.ndarray
    paths: list[str]

    def gone(self) -> np.ndarray:
        """Which images have no file any more, so that they cannot be drawn: (N,) bool."""
        return np.array([bool(path) and is_gone(path) for path in self.paths], bool)


def read_test_images(config: Config, scores: Scores) -> TestImages:
    """Find the images of image_scores.csv and their labels in the data set of the config.

    Args:
        config: Of the test.
        scores: Its image scores.

    Raises:
        UserError: The data set is missing, has secret annotations or other classes, or lacks an
            image.
    """
    dataset = DATASETS.build(image_config(config.test_dataloader.dataset))
    if not dataset.metainfo.get('annotated', True):
        raise UserError('the annotations of this split are secret')
    if list(dataset.metainfo.get('classes') or ()) != scores.classes:
        raise UserError(
            'image_scores.csv has other classes, or another order of them, than the data set of '
            'the config: test again with tcnn test CONFIG CHECKPOINT'
        )
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    known = {sample_name(info): i for i, info in enumerate(infos)}
    unknown = [name for name in scores.ids if name not in known]
    if unknown:
        raise UserError(
            f'image_scores.csv has {unknown[0]}, which is not in the data set of the config '
            f'({len(unknown)} such ids)'
        )
    indices = np.array([known[name] for name in scores.ids], np.int64)
    labels = [
        image_labels(i['gt_label'], i.get('gt_label_difficult', ()), len(scores.classes))
        for i in (infos[n] for n in indices)
    ]
    return TestImages(
        dataset,
        indices,
        np.array(labels).reshape(len(indices), len(scores.classes)),
        [str(infos[n].get('img_path') or '') for n in indices],
    )


def choose(scores: np.ndarray, labels: np.ndarray, count: int) -> dict[str, np.ndarray]:
    """Choose the best and the worst images of one class.

    Args:
        scores: (N,) of the class.
        labels: (N,) in {1, 0, -1}.
        count: Images in all: half of them positives of the highest scores ('found'), a quarter
            negatives of the highest ('false alarms'), a quarter positives of the lowest that are
            not among the first ('missed').

    Returns:
        {group: rows}, most telling first.
    """
    order = np.argsort(-scores, kind='stable')
    positives, negatives = order[labels[order] == 1], order[labels[order] == -1]
    found = positives[: -(-count // 2)]
    quarter = count // 4
    missed = positives[len(found) :][::-1][:quarter]
    return dict(zip(GROUPS, (found, negatives[:quarter], missed), strict=True))


def shown_classes(
    aps: Sequence[float | None], labels: np.ndarray, most: int = MOST_CLASSES
) -> list[int]:
    """The classes that a page draws: those that have positives, at most `most`.

    Of more classes, half are those of the highest AP and half those of the lowest.

    Args:
        aps: K, by class.
        labels: (N, K) in {1, 0, -1}.
        most: How many.
    """
    classes = np.flatnonzero((labels == 1).any(0)).tolist()
    if len(classes) <= most:
        return classes
    ranked = sorted(classes, key=lambda k: -1 if aps[k] is None else aps[k])
    return sorted(ranked[: most // 2] + ranked[-(most - most // 2) :])


def choose_per_class(
    scores: np.ndarray, labels: np.ndarray, count: int, classes: Iterable[int] | None = None
) -> dict[int, dict[str, np.ndarray]]:
    """:func:`choose` for each class that has positives: scores and labels (N, K).

    Args:
        scores: As for :func:`choose`.
        labels: As for :func:`choose`.
        count: As for :func:`choose`.
        classes: Only these. Defaults to all.
    """
    return {
        k: choose(scores[:, k], labels[:, k], count)
        for k in (range(labels.shape[1]) if classes is None else classes)
        if (labels[:, k] == 1).any()
    }
