"""Average precision by cross-validation, with intervals.

Letters: N images, K classes, R repeats (divisions into folds), B draws.
"""

import numpy as np

from tcnn_mm.evaluation.intervals import DRAWS, APIntervals, ResampledAPs, ap_intervals, resample


def cross_validated_intervals(
    scores: np.ndarray, gt: np.ndarray, mode: str, draws: int = DRAWS, seed: int = 0
) -> APIntervals:
    """Intervals of the AP of each class and of their mean.

    The AP is that of all images together, each scored by a head that did not see it; with repeats
    the mean over them. The images are drawn again, the same for all repeats.

    Args:
        scores: (R, N, K), larger means more confident.
        gt: (N, K) of {1, 0, -1}.
        mode: See :func:`voc_ap`.
        draws: B.
        seed: Of the draws.
    """
    found = [resample(each, gt, mode, draws, seed) for each in scores]
    values = np.mean([each.values for each in found], 0)
    return ap_intervals(ResampledAPs(values, np.mean([each.resampled for each in found], 0)))
