"""Average precision of random scores: a common class has a high AP by chance."""

import numpy as np
from numpy.typing import ArrayLike

from tcnn_mm.evaluation.average_precision import voc_ap


def chance_ap(labels: ArrayLike, mode: str, repeats: int = 100, seed: int = 0) -> float:
    """Compute the mean AP of one class over random rankings.

    Args:
        labels: (N,) of {1, 0, -1}.
        mode: 'voc07' or 'voc10', see :func:`voc_ap`.
        repeats: Number of rankings.
        seed: Seed of the rankings.

    Returns:
        In [0, 1]; nan for a class without positives.
    """
    random = np.random.default_rng(seed)
    count = len(np.asarray(labels))
    return float(np.mean([voc_ap(random.random(count), labels, mode) for _ in range(repeats)]))
