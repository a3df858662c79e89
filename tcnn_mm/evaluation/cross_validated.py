"""Average precision by cross-validation of few images, with intervals.

The bootstrap over images is too narrow where a class has few positives: of an AP of 100 % it gives
100 to 100 %, of two positives nothing beyond the better one. Here the AP of a class is taken as a
share of its positive images, as by Boyd, Eng and Page ("Area under the Precision-Recall Curve:
Point Estimates and Confidence Intervals", ECML PKDD 2013), who found such intervals right for small
samples where those of the bootstrap and of cross-validation are not; by Wilson's score interval
("Probable Inference", JASA 1927), which holds near 0 and 1 too. Intervals of classes are combined
for their mean as of independent estimates (Zou and Donner, "Construction of Confidence Limits about
Effect Measures", Statistics in Medicine 2008).

Letters: N images, K classes, R repeats (divisions into folds).
"""

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtri

from tcnn_mm.evaluation.average_precision import class_aps
from tcnn_mm.evaluation.intervals import CONFIDENCE, APIntervals, Interval


def cross_validated_intervals(scores: np.ndarray, gt: np.ndarray, mode: str) -> APIntervals:
    """Intervals of the AP of each class and of their mean.

    The AP is that of all images together, each scored by a head that did not see it; with repeats
    the mean over them, which adds no images: the intervals are no narrower.

    Args:
        scores: (R, N, K), larger means more confident.
        gt: (N, K) of {1, 0, -1}.
        mode: See :func:`voc_ap`.
    """
    values = np.mean([class_aps(each, gt, mode) for each in scores], 0)
    positives = (gt > 0).sum(0)
    classes = [share_interval(float(v), int(n)) for v, n in zip(values, positives, strict=True)]
    return APIntervals(classes, mean_interval(classes))


def share_interval(share: float, count: int) -> Interval:
    """Wilson's 95 % interval of a share of `count` trials; of an AP, of so many positives."""
    if np.isnan(share) or not count:
        return Interval(share, float('nan'), float('nan'))
    z = float(ndtri((1 + CONFIDENCE) / 2))
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * np.sqrt(share * (1 - share) / count + (z / (2 * count)) ** 2)
    # Rounding may leave the ends of [0, 1] by the last digit.
    return Interval(share, float(min(share, centre - half)), float(max(share, centre + half)))


def mean_interval(intervals: Sequence[Interval]) -> Interval:
    """Interval of the mean of independent estimates, those without bounds left out.

    Each bound is away from the mean by the root of the sum of squares of the distances of theirs.
    """
    known = np.array([each for each in intervals if not np.isnan(each.low)])
    if not len(known):
        return Interval(*[float('nan')] * 3)
    value, low, high = known.T
    mean = value.mean()
    below, above = (np.sqrt(np.square(bound - value).sum()) / len(known) for bound in (low, high))
    return Interval(float(mean), float(mean - below), float(mean + above))
