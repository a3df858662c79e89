"""Pointing: the point of a class is right where it lies in a box of the class.

Oquab et al., "Is object localization for free?", CVPR 2015. Letters: N images, K classes, c classes
of one image, n objects. A point is (x, y), a box xyxy, both in pixels of the stored image.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tcnn_mm.evaluation.average_precision import mean_ap, voc_ap
from tcnn_mm.evaluation.score_table import or_none


def points_found(
    points: ArrayLike, classes: ArrayLike, boxes: ArrayLike, labels: ArrayLike, tolerance: float
) -> np.ndarray:
    """Tell whether the point of each class lies in a box of the class.

    Args:
        points: (c, 2), one per class.
        classes: (c,) int, the classes of the points.
        boxes: (n, 4), the objects to find.
        labels: (n,) int, their classes.
        tolerance: Boxes are enlarged by this many pixels on each side, borders included.

    Returns:
        (c,) bool; False for a class without a box.
    """
    xy = np.asarray(points, np.float64).reshape(-1, 1, 2)
    xyxy = np.asarray(boxes, np.float64).reshape(-1, 4)
    inside = (xy >= xyxy[:, :2] - tolerance) & (xy <= xyxy[:, 2:] + tolerance)
    same = np.asarray(classes, np.int64)[:, None] == np.asarray(labels, np.int64).reshape(-1)
    return (inside.all(2) & same).any(1)


def point_ap(scores: ArrayLike, gt: ArrayLike, found: ArrayLike, mode: str) -> float:
    """Compute the AP of one class where an image counts as found only if its point is right.

    A positive image whose point is wrong is both a false positive and a false negative: it is
    ranked as a negative, and its object stays in the number of positives. So this AP is at most
    that of classification.

    Args:
        scores: (N,) confidences of the images.
        gt: (N,) of {1, 0, -1}; 0 (only difficult objects) is ignored wherever the point lies, as
            in classification.
        found: (N,) bool, read where gt is 1.
        mode: 'voc07' or 'voc10'.

    Returns:
        In [0, 1]; nan for a class without positives.
    """
    truth = np.asarray(gt)
    answers = np.where((truth > 0) & ~np.asarray(found, bool), -1, truth)
    return voc_ap(scores, answers, mode, positives=int((truth > 0).sum()))


def hit_rate(gt: ArrayLike, found: ArrayLike) -> float:
    """Compute the share of positive images with a right point ("pointing game"); nan if none."""
    hits = np.asarray(found, bool)[np.asarray(gt) > 0]
    return float(hits.mean()) if len(hits) else float('nan')


def point_report(
    classes: Sequence[str],
    scores: np.ndarray,
    labels: np.ndarray,
    found: np.ndarray,
    hit: np.ndarray,
    mode: str,
    subset: Sequence[str] = (),
) -> dict[str, Any]:
    """Compute AP and hit rate of each class and their means, in fractions; None without positives.

    Args:
        classes: K names.
        scores: (N, K).
        labels: (N, K) of {1, 0, -1}.
        found: (N, K) bool, right points for AP.
        hit: (N, K) bool, right points for the hit rate.
        mode: 'voc07' or 'voc10'.
        subset: Class names whose means are reported too.

    Returns:
        mAP, hit_rate (and both with _subset), classes: name → ap, hit_rate.
    """
    rows = {
        name: (
            point_ap(scores[:, k], labels[:, k], found[:, k], mode),
            hit_rate(labels[:, k], hit[:, k]),
        )
        for k, name in enumerate(classes)
    }
    report: dict[str, Any] = {}
    for end, names in (('', classes), ('_subset', subset)):
        if names:
            for i, key in enumerate(('mAP', 'hit_rate')):
                report[key + end] = or_none(mean_ap(rows[name][i] for name in names))
    report['classes'] = {
        name: dict(ap=or_none(ap), hit_rate=or_none(rate)) for name, (ap, rate) in rows.items()
    }
    return report
