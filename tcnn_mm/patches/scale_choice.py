"""Scales that the objects of a data set need, at about the cost of the current ones."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

# A class needs another scale when more than this share of its objects is missed.
MISSED_SHARE = 0.25
# The cheapest scale is added that covers this share of what the best one would.
GOOD_ENOUGH = 0.8
# No scale is added that covers less than this share of every class.
LEAST_GAIN = 0.05
# Of λ = 1 and what is added, in units of λ = 1; the paper's nine scales cost 62. A few very small
# objects are not worth a λ of 20, which alone costs 400.
MOST_COST = 116.0
# A class may lose this share of its objects when a scale is dropped.
ACCEPTED_LOSS = 0.02


class ScaleChoice(NamedTuple):
    """Suggested scales.

    Attributes:
        scales (tuple[float]): λ, ascending.
        added (dict[float, dict[int, int]]): λ → class index → missed objects that it covers.
        dropped (tuple[float]): λ of the current scales that are not needed, ascending.
    """

    scales: tuple[float, ...]
    added: dict[float, dict[int, int]]
    dropped: tuple[float, ...]


def dense_cost(scales: Sequence[float]) -> float:
    """Return the cost of an image in dense mode, in units of λ = 1: its pixels grow with λ²."""
    return float(np.square(scales).sum())


def choose_scales(
    covers: np.ndarray, labels: np.ndarray, candidates: Sequence[float], current: Sequence[float]
) -> ScaleChoice:
    """Add the scales that a class needs, then drop scales while the cost is higher than before.

    A λ is added while more than :data:`MISSED_SHARE` of the objects of some class are missed: of
    the λ that cover some of them, the cheapest that covers :data:`GOOD_ENOUGH` of what the best
    one would, within :data:`MOST_COST`. While the scales then cost more than before, the costliest
    is dropped whose objects other scales cover too; λ = 1, the whole image, stays.

    Args:
        covers: (S, N) bool: whether the object qualifies for some patch of this scale.
        labels: (N,) int class of each object.
        candidates: S scales, `current` among them.
        current: The scales to start from.

    Returns:
        The scales, with what was added and dropped.
    """
    scales = np.asarray(candidates, np.float64)
    added: dict[float, dict[int, int]] = {}
    row = {scale: i for i, scale in enumerate(scales.tolist())}
    chosen = [float(scale) for scale in current]
    sizes = np.bincount(labels, minlength=labels.max(initial=-1) + 1)

    def count(mask: Any) -> np.ndarray:
        return np.bincount(labels[mask], minlength=len(sizes))

    def covered(chosen: Sequence[float]) -> np.ndarray:
        return count(covers[[row[s] for s in chosen]].any(0)) if len(chosen) else 0 * sizes

    while True:
        missed = ~covers[[row[s] for s in chosen]].any(0)
        needing = count(missed) > MISSED_SHARE * sizes
        # A class counts by the share of its objects, however many others there are.
        open_ = missed & needing[labels]
        gains = np.array([(count(c & open_) / np.maximum(sizes, 1)).sum() for c in covers])
        cost = dense_cost([1.0, *added]) + np.square(scales)
        gains[cost > MOST_COST] = 0
        if not gains.max(initial=0):
            break
        scale = float(scales[gains >= GOOD_ENOUGH * gains.max()].min())
        gained = count(covers[row[scale]] & open_)
        if (gained / np.maximum(sizes, 1)).max() < LEAST_GAIN:
            break
        added[scale] = {int(k): int(gained[k]) for k in np.flatnonzero(gained)}
        chosen.append(scale)
    dropped: list[float] = []
    least = covered(chosen) - ACCEPTED_LOSS * sizes
    if added:
        for scale in sorted(set(chosen) - set(added) - {1.0}, reverse=True):
            rest = [s for s in chosen if s != scale]
            if dense_cost(chosen) > dense_cost(current) and (covered(rest) >= least).all():
                chosen = rest
                dropped.append(scale)
    return ScaleChoice(tuple(sorted(chosen)), added, tuple(dropped[::-1]))
