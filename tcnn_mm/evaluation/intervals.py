"""Intervals of average precisions: what another draw of the test images could have given.

The images are drawn again with replacement (bootstrap), as in Everingham et al., "The PASCAL Visual
Object Classes Challenge: A Retrospective" (IJCV 2015), section 3.5. The AP of a draw is a little
too high, because a positive that is drawn again is found again: the bounds are corrected for it
(Efron, "Better Bootstrap Confidence Intervals", JASA 1987, the bias-corrected percentiles).

An interval says how much a figure depends on which images were tested; it says nothing of another
seed or training set.

Letters: N images, K classes, R draws.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri

from tcnn_mm.evaluation.average_precision import (
    aps_at_positives,
    class_aps,
    mean_ap,
    rank_order,
)

DRAWS = 1000
CONFIDENCE = 0.95


class Interval(NamedTuple):
    """An estimate and its bounds; all nan where it is not defined."""

    value: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether both bounds have one sign: as a difference, beyond chance."""
        return self.low > 0 or self.high < 0


class APIntervals(NamedTuple):
    """Intervals of the AP of each class (K) and of their mean, in fractions."""

    classes: list[Interval]
    mean: Interval


def image_draws(num_images: int, draws: int = DRAWS, seed: int = 0) -> np.ndarray:
    """How often each image is drawn: (R, N) int64, each row sums to N."""
    generator = np.random.default_rng(seed)
    shares = np.full(num_images, 1 / num_images)
    return generator.multinomial(num_images, shares, size=draws)


def resampled_aps(scores: np.ndarray, gt: np.ndarray, mode: str, draws: np.ndarray) -> np.ndarray:
    """Compute the AP of each class on each draw of the images.

    Args:
        scores: (N, K), larger means more confident.
        gt: (N, K) of {1, 0, -1}.
        mode: See :func:`voc_ap`.
        draws: (R, N) of :func:`image_draws`. An image that is drawn several times has as many
            ranks.

    Returns:
        (R, K) float64; nan where a draw has no positive of the class.
    """
    aps = np.full((len(draws), gt.shape[1]), np.nan)
    # A row per image: whole rows are gathered and added.
    of_image = np.ascontiguousarray(draws.T)
    for k, (column, truth) in enumerate(zip(scores.T, gt.T, strict=True)):
        order = rank_order(column)
        order = order[truth[order] != 0]
        at = np.flatnonzero(truth[order] > 0)
        if len(at):
            starts = np.append(0, at[:-1] + 1)
            seen = np.add.reduceat(of_image[order[: at[-1] + 1]], starts).cumsum(0)
            times = of_image[order[at]]
            aps[:, k] = aps_at_positives(times.cumsum(0).T, seen.T, times.T, mode)
    return aps


def interval(value: float, resampled: np.ndarray) -> Interval:
    """Bias-corrected 95 % bounds of an estimate, from its values (R,) on the draws without nan."""
    known = resampled[~np.isnan(resampled)]
    if np.isnan(value) or not len(known):
        return Interval(value, float('nan'), float('nan'))
    below = ((known < value).mean() + (known <= value).mean()) / 2
    # Of R draws a share of 0 or 1 is known no better than to half a draw.
    shift = ndtri(np.clip(below, 0.5 / len(known), 1 - 0.5 / len(known)))
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(known, ndtr(2 * shift + ndtri((tail, 1 - tail))))
    return Interval(value, float(low), float(high))


class ResampledAPs(NamedTuple):
    """The AP of each class: on the test images (K,), and on each draw of them (R, K)."""

    values: np.ndarray
    resampled: np.ndarray


def resample(
    scores: np.ndarray, gt: np.ndarray, mode: str, draws: int = DRAWS, seed: int = 0
) -> ResampledAPs:
    """Compute the AP of each class on the test images and on draws of them.

    Args:
        scores: (N, K), larger means more confident.
        gt: (N, K) of {1, 0, -1}.
        mode: See :func:`voc_ap`.
        draws: R. Defaults to 1000.
        seed: Of the draws: equal seeds draw equal images.
    """
    drawn = image_draws(len(gt), draws, seed)
    return ResampledAPs(class_aps(scores, gt, mode), resampled_aps(scores, gt, mode, drawn))


def ap_intervals(found: ResampledAPs) -> APIntervals:
    """Intervals of the AP of each class and of their mean, over the test images."""
    classes = [
        interval(float(v), column)
        for v, column in zip(found.values, found.resampled.T, strict=True)
    ]
    # A draw without a positive of a class has a mean over the other classes, as a test has.
    means = np.array([mean_ap(row) for row in found.resampled])
    return APIntervals(classes, interval(mean_ap(found.values), means))


def paired_intervals(first: ResampledAPs, second: ResampledAPs) -> APIntervals:
    """AP of the second scores minus that of the first, on the same draws of the same images.

    Images that are hard are hard for both, so the interval of the difference is narrower than the
    two intervals suggest.
    """
    difference = ResampledAPs(second.values - first.values, second.resampled - first.resampled)
    return ap_intervals(difference)
