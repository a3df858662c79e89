"""What an image is called, class by class: the devkit's labels; numpy alone."""

import numpy as np


def image_labels(gt_label, gt_label_difficult, num_classes):
    """The devkit's label of each class: what stands in its class files.

    Args:
        gt_label (iterable[int]): Classes with at least one object that is not difficult.
        gt_label_difficult (iterable[int]): Classes with at least one difficult object; a class
            may be in both.
        num_classes (int): K.

    Returns:
        ndarray: (K,) int64: 1 for the classes of `gt_label`, else 0 for those of
        `gt_label_difficult`, else -1.

    Raises:
        ValueError: A class outside 0…K-1.
    """
    labels = np.full(num_classes, -1, np.int64)
    for value, classes in ((0, gt_label_difficult), (1, gt_label)):
        index = np.array([int(k) for k in classes], np.int64)
        # A negative index would count from the end.
        strange = index[(index < 0) | (index >= num_classes)]
        if len(strange):
            raise ValueError(f'label {strange[0]} is outside 0…{num_classes - 1}')
        labels[index] = value
    return labels
