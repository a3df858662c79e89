"""Thresholds of the image scores: per class, the one with the best F1 on a validation set.

Image scores rank images and are no probabilities: a mean of y^5 may be 0.01 where the class fills
the image, and no single threshold fits every class.
"""

import numpy as np
from numpy.typing import ArrayLike

from tcnn_mm.errors import InvalidValueError
from tcnn_mm.evaluation.average_precision import precision_recall


def best_threshold(scores: ArrayLike, labels: ArrayLike) -> tuple[float, float]:
    """Find the threshold of one class with the highest F1 = 2·tp / (predicted + positives).

    An image is predicted to show the class when its score ≥ threshold. The threshold lies half
    way between the lowest predicted score and the next lower one, which leaves the largest margin
    on both sides.

    Args:
        scores: (N,).
        labels: (N,) of {1, 0, -1}; 0 (difficult objects only) is left out.

    A class whose positives rank no higher than its negatives has no useful threshold: the best F1
    is that of predicting nearly every image. It gets none, unless half of the images have it.

    Returns:
        Threshold and F1; of equal F1s the highest threshold. (nan, nan) for a class without
        positives, or without a useful threshold.
    """
    values, gt = np.asarray(scores, np.float64), np.asarray(labels)
    known = gt != 0
    ranked = -np.sort(-values[known], kind='stable')
    tp, _ = precision_recall(values[known], gt[known])
    if not len(tp) or not tp[-1]:
        return float('nan'), float('nan')
    if 2 * tp[-1] < len(tp) and pairs_in_order(values[known], gt[known] > 0) <= 0.5:
        return float('nan'), float('nan')
    f1 = 2 * tp / (np.arange(1, len(tp) + 1) + tp[-1])
    # Equal scores are predicted together: a threshold lies after the last of them.
    lower = np.append(ranked[1:], -np.inf)
    best = int(np.where(ranked > lower, f1, -1.0).argmax())
    high, low = ranked[best], lower[best]
    middle = low + (high - low) / 2 if np.isfinite(low) else high
    # Between two adjacent floats there is no middle.
    return float(middle if middle > low else high), float(f1[best])


def pairs_in_order(scores: np.ndarray, positive: np.ndarray) -> float:
    """The share of pairs of a positive and a negative whose positive has the higher score.

    The area under the ROC curve; of equal scores half of the pairs count.

    Args:
        scores: (N,).
        positive: (N,) bool, at least one of each.
    """
    negatives = np.sort(scores[~positive])
    below = np.searchsorted(negatives, scores[positive], 'left')
    not_above = np.searchsorted(negatives, scores[positive], 'right')
    return float((below + not_above).mean() / 2 / len(negatives))


def best_thresholds(scores: ArrayLike, labels: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Find the :func:`best_threshold` of every class.

    Args:
        scores: (N, K) image scores.
        labels: (N, K) of {1, 0, -1}.

    Returns:
        Thresholds (K,) and F1 (K,), float64; nan where :func:`best_threshold` gives none.

    Raises:
        InvalidValueError: Shapes that differ; NaN scores; other labels.
    """
    values, gt = np.asarray(scores), np.asarray(labels)
    if values.ndim != 2 or values.shape != gt.shape:
        raise InvalidValueError(f'scores {values.shape} and labels {gt.shape} must both be (N, K)')
    rows = [best_threshold(s, y) for s, y in zip(values.T, gt.T, strict=True)]
    thresholds, f1 = np.array(rows, np.float64).reshape(-1, 2).T
    return thresholds, f1
