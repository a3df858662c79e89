"""Folds of cross-validation: stratified over several labels per image, groups kept together.

Letters: N images, G groups, K classes, F folds.
"""

from collections.abc import Hashable, Iterable, Sequence

import numpy as np

from tcnn_mm.errors import InvalidValueError


def stratified_folds(
    labels: Sequence[Iterable[int]],
    folds: int,
    seed: int = 0,
    groups: Sequence[Hashable] | None = None,
) -> np.ndarray:
    """Divide images into folds in which each class is equally frequent, as far as groups allow.

    Sechidis, Tsoumakas and Vlahavas, "On the Stratification of Multi-label Data" (ECML 2011): the
    class with the fewest images left is divided first, each image to the fold that lacks most of
    the class. Here groups of images are divided, the largest first; images of no class count as
    one more class. scikit-learn divides single labels only.

    Args:
        labels: The classes of each image.
        folds: F.
        seed: Of the order among equals; the result is a pure function of the arguments.
        groups: Images of one value stay together. Defaults to each image by itself.

    Returns:
        (N,) int64, the fold in which each image is held out; no fold is empty.

    Raises:
        InvalidValueError: Fewer than two folds, or fewer groups than folds.
    """
    sets = [frozenset(map(int, mine)) or frozenset([-1]) for mine in labels]
    names = list(range(len(sets))) if groups is None else list(groups)
    number = {name: g for g, name in enumerate(dict.fromkeys(names))}
    group = np.array([number[name] for name in names], np.int64)
    if not 2 <= folds <= len(number):
        what = 'images' if groups is None else 'groups of images'
        raise InvalidValueError(
            f'{folds} folds of {len(number)} {what}: give from 2 to {len(number)}'
        )
    classes = {k: c for c, k in enumerate(sorted(set().union(*sets)))}
    # Images of each class, and of any, per group: (G, K + 1).
    counts = np.zeros((len(number), len(classes) + 1), np.int64)
    for g, mine in zip(group, sets, strict=True):
        counts[g, [classes[k] for k in mine]] += 1
        counts[g, -1] += 1
    return _divide(counts, folds, np.random.default_rng(seed))[group]


def _divide(counts: np.ndarray, folds: int, random: np.random.Generator) -> np.ndarray:
    """The fold (G,) of each group; `counts` (G, K + 1) images per class, and in all."""
    chosen = np.full(len(counts), -1, np.int64)
    # What each fold still lacks.
    wanted = np.repeat(counts.sum(0, keepdims=True) / folds, folds, 0)
    # Random among equals: ties are taken in this order.
    order = random.permutation(len(counts))
    order = order[np.argsort(-counts[order, -1], kind='stable')]
    while (chosen < 0).any():
        left = order[chosen[order] < 0]
        totals = counts[left, :-1].sum(0)
        rarest = int(np.where(totals > 0, totals, np.iinfo(np.int64).max).argmin())
        for g in left[counts[left, rarest] > 0]:
            empty = np.bincount(chosen[chosen >= 0], minlength=folds) == 0
            # As many groups as empty folds are left: each of them gets one.
            allowed = empty if empty.sum() >= (chosen < 0).sum() else np.ones(folds, bool)
            ranks = np.where(allowed[:, None], wanted[:, [rarest, -1]], -np.inf)
            best = np.flatnonzero((ranks == ranks[np.lexsort(ranks.T[::-1])[-1]]).all(1))
            fold = int(random.choice(best))
            chosen[g] = fold
            wanted[fold] -= counts[g]
    return chosen


def class_counts(labels: Sequence[Iterable[int]], num_classes: int) -> np.ndarray:
    """Images of each class: (K,) int64."""
    counts = np.zeros(num_classes, np.int64)
    for mine in labels:
        counts[sorted({int(k) for k in mine})] += 1
    return counts
