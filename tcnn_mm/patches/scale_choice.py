"""Which scales a data set's objects need, for the price of the paper's; numpy alone."""

from typing import NamedTuple

import numpy as np

# A class of which more than this share is never named needs another scale, …
MISSED_SHARE = 0.25
# … the cheapest that names this share of what the best one would.
GOOD_ENOUGH = 0.8


class ScaleChoice(NamedTuple):
    """`scales`, ascending; `added` {λ: {class index: missed objects it names}}; `dropped` λ."""

    scales: tuple
    added: dict
    dropped: tuple


def dense_cost(scales):
    """What a picture costs in dense mode, in passes at λ = 1: its pixels grow with λ²."""
    return float(np.square(scales).sum())


def choose_scales(covers, labels, candidates, current):
    """Add the scales that a class needs, then drop what that makes too costly.

    A λ is added while some class has more than a quarter of its objects unnamed: of the λ that name
    some of them, the cheapest that names 80 % of what the best one would. While the scales then
    cost more than before, the costliest is dropped whose objects others name too (a class may
    lose 2 % of its objects); λ = 1, the whole picture, stays.

    Args:
        covers (ndarray): (S, N) bool: does a patch of this scale ever pass for this object.
        labels (ndarray): (N,) int class of each object.
        candidates (sequence[float]): S scales, `current` among them.
        current (sequence[float]): The scales to start from.

    Returns:
        ScaleChoice
    """
    candidates, added = np.asarray(candidates, np.float64), {}
    row = {scale: i for i, scale in enumerate(candidates.tolist())}
    chosen = [float(scale) for scale in current]
    sizes = np.bincount(labels, minlength=labels.max(initial=-1) + 1)

    def count(mask):
        return np.bincount(labels[mask], minlength=len(sizes))

    def named(scales):
        return count(covers[[row[s] for s in scales]].any(0)) if len(scales) else 0 * sizes

    while True:
        missed = ~covers[[row[s] for s in chosen]].any(0)
        lacking = count(missed) > MISSED_SHARE * sizes
        # A class counts by the share of its objects, however many others there are.
        open_ = missed & lacking[labels]
        gains = np.array([(count(c & open_) / np.maximum(sizes, 1)).sum() for c in covers])
        if not gains.max(initial=0):
            break
        scale = float(candidates[gains >= GOOD_ENOUGH * gains.max()].min())
        gained = count(covers[row[scale]] & open_)
        if (gained / np.maximum(sizes, 1)).max() < 0.05:
            break
        added[scale] = {int(k): int(gained[k]) for k in np.flatnonzero(gained)}
        chosen.append(scale)
    dropped, least = [], named(chosen) - 0.02 * sizes
    if added:
        for scale in sorted(set(chosen) - set(added) - {1.0}, reverse=True):
            rest = [s for s in chosen if s != scale]
            if dense_cost(chosen) > dense_cost(current) and (named(rest) >= least).all():
                chosen = rest
                dropped.append(scale)
    return ScaleChoice(tuple(sorted(chosen)), added, tuple(dropped[::-1]))
