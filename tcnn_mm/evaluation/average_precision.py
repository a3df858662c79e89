"""PASCAL VOC's average precision of one class, exact, in numpy.

Letters: N images, K classes. The ground truth of one class and image is 1 (positive), 0 (only
difficult objects: ignored) or -1 (negative), as in the devkit's class files.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

from tcnn_mm.errors import InvalidValueError

MODES = ('voc07', 'voc10')


def precision_recall(scores: ArrayLike, gt: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Compute true positives and precision at each rank (`VOCevalcls.m`).

    Images with equal scores keep their order, and each has a rank of its own; ignored images have
    a rank that changes nothing.

    Args:
        scores: (N,), larger means more confident; may be infinite.
        gt: (N,) of {1, 0, -1}.

    Returns:
        tp (N,) int64, positives among the first n (recall is tp / n_pos); precision (N,) float64,
        0 before the first positive or negative.

    Raises:
        InvalidValueError: NaN scores, other labels, shapes that differ.
    """
    scores, gt = np.asarray(scores, np.float64), np.asarray(gt)
    if scores.ndim != 1 or scores.shape != gt.shape:
        raise InvalidValueError(f'scores {scores.shape} and gt {gt.shape} must both be (N,)')
    if np.isnan(scores).any():
        raise InvalidValueError(f'{np.isnan(scores).sum()} of {len(scores)} scores are NaN')
    if not np.isin(gt, (1, 0, -1)).all():
        raise InvalidValueError(f'gt must be 1, 0 or -1, found {sorted(set(gt.tolist()))}')
    ranked = gt[rank_order(scores)]
    tp = np.cumsum(ranked > 0, dtype=np.int64)
    seen = tp + np.cumsum(ranked < 0, dtype=np.int64)
    return tp, tp / np.maximum(seen, 1)


def rank_order(scores: np.ndarray) -> np.ndarray:
    """Indices (N,) from the highest to the lowest of (N,) scores; equal ones keep their order."""
    return np.argsort(-scores, kind='stable')


def voc_ap(scores: ArrayLike, gt: ArrayLike, mode: str, positives: int | None = None) -> float:
    """Compute the average precision of one class.

    Args:
        scores: (N,), larger means more confident.
        gt: (N,) of {1, 0, -1}.
        mode: 'voc07': mean over recall 0, 0.1 … 1 of the best precision at that recall or above.
            'voc10': area under the curve of that best precision, as in VOC2010–2012.
        positives: Number of objects to find, where the ranking lacks some of them: recall ends
            below 1. Defaults to the positives of `gt`.

    Returns:
        In [0, 1]; nan for a class without positives.

    Raises:
        InvalidValueError: Another mode; fewer `positives` than `gt` has; what
            :func:`precision_recall` refuses.
    """
    if mode not in MODES:
        raise InvalidValueError(f"mode={mode!r}; choose 'voc07' (11 points) or 'voc10' (area)")
    tp, precision = precision_recall(scores, gt)
    in_ranking = int(tp[-1]) if len(tp) else 0
    n_pos = in_ranking if positives is None else int(positives)
    if n_pos < in_ranking:
        raise InvalidValueError(f'positives={n_pos}, but the ranking has {in_ranking}')
    if not n_pos:
        return float('nan')
    best = np.maximum.accumulate(precision[::-1])[::-1]
    if mode == 'voc07':
        # recall ≥ t/10 in integers: 0.1 has no exact float, and 3/10 would miss its threshold.
        # A recall that is never reached has precision 0.
        best = np.append(best, 0.0)
        return float(best[np.searchsorted(10 * tp, np.arange(11) * n_pos)].sum() / 11)
    # Recall grows by 1 / n_pos at each positive and nowhere else.
    return float(best[np.diff(tp, prepend=0) > 0].sum() / n_pos)


def aps_at_positives(tp: np.ndarray, seen: np.ndarray, times: np.ndarray, mode: str) -> np.ndarray:
    """Compute the AP of many rankings of one class from its positives alone, which are few.

    Precision is highest at positives, and recall changes nowhere else.

    Args:
        tp: (R, p) int, in each ranking the positives up to each of its p positives, itself too.
        seen: (R, p) int, the positives and negatives up to it, itself too.
        times: (R, p) int, how often the positive is in the ranking, at consecutive ranks.
        mode: See :func:`voc_ap`.

    Returns:
        (R,) float64; nan for a ranking without positives.
    """
    best = np.maximum.accumulate((tp / np.maximum(seen, 1))[:, ::-1], axis=1)[:, ::-1]
    n_pos = times.sum(1)
    if mode == 'voc07':
        # The first positive at which recall ≥ t/10, in integers as in `voc_ap`.
        reached = 10 * tp[:, :, None] >= np.arange(11) * n_pos[:, None, None]
        found = np.take_along_axis(best, reached.argmax(1), 1).sum(1) / 11
    elif mode == 'voc10':
        found = (best * times).sum(1) / np.maximum(n_pos, 1)
    else:
        raise ValueError(f"mode={mode!r}; choose 'voc07' (11 points) or 'voc10' (area)")
    return np.where(n_pos > 0, found, np.nan)


def class_aps(scores: np.ndarray, gt: np.ndarray, mode: str) -> np.ndarray:
    """Compute :func:`voc_ap` of each class: (N, K), (N, K) → (K,) float64."""
    return np.array([voc_ap(scores[:, k], gt[:, k], mode) for k in range(gt.shape[1])])


def mean_ap(aps: Iterable[float]) -> float:
    """Average over the classes that have positives; nan if none has."""
    values = np.array(list(aps), np.float64)
    values = values[~np.isnan(values)]
    return float(values.mean()) if len(values) else float('nan')
