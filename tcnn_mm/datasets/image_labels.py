"""Per-class VOC labels of an image: 1, 0, -1."""

from collections.abc import Iterable

import numpy as np

from tcnn_mm.errors import InvalidValueError


def image_labels(
    gt_label: Iterable[int], gt_label_difficult: Iterable[int], num_classes: int
) -> np.ndarray:
    """Return the label of each class as in the devkit's class files.

    Args:
        gt_label: Classes with at least one object that is not difficult.
        gt_label_difficult: Classes with at least one difficult object; a class
            may be in both.
        num_classes: K.

    Returns:
        (K,) int64: 1 for the classes of `gt_label`, else 0 for those of
        `gt_label_difficult`, else -1.

    Raises:
        InvalidValueError: A class outside 0…K-1.
    """
    labels = np.full(num_classes, -1, np.int64)
    for value, classes in ((0, gt_label_difficult), (1, gt_label)):
        index = np.array([int(k) for k in classes], np.int64)
        # A negative index would count from the end.
        wrong = index[(index < 0) | (index >= num_classes)]
        if len(wrong):
            raise InvalidValueError(f'label {wrong[0]} is outside 0…{num_classes - 1}')
        labels[index] = value
    return labels
