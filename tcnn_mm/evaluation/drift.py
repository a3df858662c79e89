"""Whether images as a whole differ from the training images of a model: drift.

Two samples are compared, the values of N images and those of the M reference images of a model
(:mod:`~tcnn_mm.evaluation.unfamiliar`), by the one-sided Kolmogorov–Smirnov test: a finite
reference is not taken for the whole distribution. A value is a rank among the reference, so
the values say all that the test needs.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import ks_2samp

from tcnn_mm.evaluation.unfamiliar import UNLIKE

# Fewer images are not compared as a whole.
FEWEST_IMAGES = 20
# Images that do not differ are said to, with this probability.
SURE = 0.01
# Products of the two numbers of images up to which the probability is exact; it takes longer.
_EXACT = 10_000


class Drift(NamedTuple):
    """Whether values are those of images like the training images.

    Attributes:
        distance (float): Largest difference of the two distribution functions, in the direction
            of larger values, in [0, 1].
        p (float): Probability of at least this distance for images like the training images.
    """

    distance: float
    p: float


def drift(values: Sequence[float] | np.ndarray, reference: int) -> Drift | None:
    """Compare the values of images with those of the reference images.

    Args:
        values: (N,) of :func:`unfamiliar`, in any order.
        reference: M, of the reference images that the values are ranks among.

    Returns:
        None of fewer than :data:`FEWEST_IMAGES` values.
    """
    if len(values) < FEWEST_IMAGES:
        return None
    # A value j / M lies above j reference images and not above the next.
    theirs = (np.arange(reference) + 0.5) / reference
    method = 'exact' if len(values) * reference <= _EXACT else 'asymp'
    test = ks_2samp(np.asarray(values), theirs, alternative='less', method=method)
    return Drift(float(test.statistic), float(test.pvalue))


def drift_lines(values: Sequence[float] | np.ndarray, reference: int) -> list[str]:
    """What a summary says of the values of many images; nothing without values.

    Args: as for :func:`drift`.
    """
    if not len(values):
        return []
    unlike = int((np.asarray(values) >= UNLIKE).sum())
    lines = [
        f'{unlike} of {len(values)} images look unlike the training images (unfamiliar '
        f'{UNLIKE} or more; of images like them {1 - UNLIKE:.0%} do)'
    ]
    found = drift(values, reference)
    if found is not None:
        differ = 'differ from' if found.p < SURE else 'do not differ from'
        p = '< 0.0001' if found.p < 1e-4 else f'= {found.p:.2g}'
        lines.append(
            f'drift: as a whole these images {differ} the training images (Kolmogorov–Smirnov '
            f'distance {found.distance:.2f}, p {p}; drift is said below {SURE})'
        )
    return lines
