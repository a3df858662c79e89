"""What scores drawn at random would get: a high AP can be a common class; numpy alone."""

import numpy as np

from tcnn_mm.evaluation.average_precision import voc_ap


def chance_ap(labels, mode, repeats=100, seed=0):
    """Mean AP of one class over random rankings.

    Args:
        labels (array): (N,) of {1, 0, -1}.
        mode (str): Of :func:`voc_ap`.
        repeats (int): Rankings drawn.

    Returns:
        float: In [0, 1]; nan for a class without positives.
    """
    random = np.random.default_rng(seed)
    return float(
        np.mean([voc_ap(random.random(len(labels)), labels, mode) for _ in range(repeats)])
    )
