"""Three scales for a first look, chosen by the objects that they cover and by their cost."""

from collections.abc import Sequence

import numpy as np

from tcnn_mm.patches.scale_choice import GOOD_ENOUGH, LEAST_GAIN, dense_cost

NUMBER = 3
# In units of λ = 1: half of what the paper's nine scales cost.
MOST_COST = 31.0
# Taken where the objects ask for no others.
DEFAULT = (1.0, 1.6, 2.4)


def quick_scales(
    covers: np.ndarray, labels: np.ndarray, candidates: Sequence[float]
) -> tuple[float, ...]:
    """Choose λ = 1 and two more scales, at no more than :data:`MOST_COST`.

    Each time the cheapest scale is taken that covers :data:`GOOD_ENOUGH` of what the best one
    would of the objects that are still missed; a class counts by the share of its objects.

    Args:
        covers: (S, N) bool: whether the object qualifies for some patch of this scale.
        labels: (N,) int class of each object.
        candidates: S scales.

    Returns:
        Three λ, ascending.
    """
    scales = np.asarray(candidates, np.float64)
    sizes = np.maximum(np.bincount(labels, minlength=1), 1)
    chosen, missed = [1.0], np.ones(covers.shape[1], bool)
    if 1.0 in scales:
        missed &= ~covers[scales.tolist().index(1.0)]
    while len(chosen) < NUMBER:
        shares = np.array(
            [np.bincount(labels[cover & missed], minlength=len(sizes)) / sizes for cover in covers]
        )
        # The cost of those that are still to be chosen is kept free.
        rest = dense_cost(DEFAULT[1:2]) * (NUMBER - 1 - len(chosen))
        allowed = dense_cost(chosen) + np.square(scales) + rest <= MOST_COST
        gains = np.where(allowed & ~np.isin(scales, chosen), shares.sum(1), 0.0)
        best = np.flatnonzero(gains >= max(GOOD_ENOUGH * gains.max(initial=0), LEAST_GAIN))
        if not len(best):
            break
        taken = best[scales[best].argmin()]
        chosen.append(float(scales[taken]))
        missed &= ~covers[taken]
    spare = [scale for scale in DEFAULT if scale not in chosen]
    return tuple(sorted(chosen + spare[: NUMBER - len(chosen)]))
