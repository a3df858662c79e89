"""Average precision of random scores: a common class has a high AP by chance."""

import numpy as np
from numpy.typing import ArrayLike

from tcnn_mm.evaluation.average_precision import aps_at_positives


def chance_aps(labels: ArrayLike, mode: str, repeats: int = 100, seed: int = 0) -> np.ndarray:
    """Compute the mean AP of each class over random rankings, the same for all classes.

    Args:
        labels: (N, K) of {1, 0, -1}.
        mode: 'voc07' or 'voc10', see :func:`voc_ap`.
        repeats: Number R of rankings.
        seed: Seed of the rankings.

    Returns:
        (K,) in [0, 1]; nan for a class without positives.
    """
    gt = np.asarray(labels)
    # Images in the order of their ranks, and the rank of each image: (R, N).
    order = np.argsort(-np.random.default_rng(seed).random((repeats, len(gt))), 1, kind='stable')
    ranks = np.argsort(order, 1)
    return np.array([_chance_ap(column, order, ranks, mode) for column in gt.T], np.float64)


def _chance_ap(gt: np.ndarray, order: np.ndarray, ranks: np.ndarray, mode: str) -> float:
    """Mean AP of one class (N,) over rankings (R, N)."""
    positives = np.flatnonzero(gt > 0)
    if not len(positives):
        return float('nan')
    at = np.sort(ranks[:, positives], 1)
    # Ranks among the images that count.
    seen = np.take_along_axis((gt != 0)[order].cumsum(1), at, 1) if (gt == 0).any() else at + 1
    tp = np.broadcast_to(np.arange(1, len(positives) + 1), at.shape)
    return float(aps_at_positives(tp, seen, np.ones_like(tp), mode).mean())
