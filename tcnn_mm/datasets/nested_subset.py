"""Growing subsets of a training set that keep its class frequencies."""

from collections.abc import Iterable, Sequence

import numpy as np


def nested_order(labels: Sequence[Iterable[int]], seed: int) -> np.ndarray:
    """Order the images so that the first n are a stratified subset, for every n.

    A larger subset contains every smaller one. Each step takes a random image of the class that
    is most underrepresented: first every class gets one image, the rarest class first; then each
    grows in proportion to its share of the set, by the Huntington–Hill rule of apportionment:
    the largest total / √(taken · (taken + 1)). Images of no class count as one more class.

    Args:
        labels: The classes of each image.
        seed: The order is a pure function of labels and seed.

    Returns:
        (N,) int64, a permutation.
    """
    sets = [frozenset(map(int, mine)) or frozenset([-1]) for mine in labels]
    shuffled = np.random.default_rng(seed).permutation(len(sets))
    classes = sorted(set().union(*sets)) if sets else []
    # Of each class its images, the next one last.
    waiting = {k: [i for i in shuffled[::-1] if k in sets[i]] for k in classes}
    total = {k: len(mine) for k, mine in waiting.items()}
    taken = dict.fromkeys(classes, 0)
    order: list[int] = []
    used: set[int] = set()

    def urgency(k: int) -> tuple[float, int]:
        if not taken[k]:
            return np.inf, -total[k]
        return total[k] / np.sqrt(taken[k] * (taken[k] + 1)), -total[k]

    while len(order) < len(sets):
        for k in classes:
            while waiting[k] and waiting[k][-1] in used:
                waiting[k].pop()
        k = max((k for k in classes if waiting[k]), key=urgency)
        image = waiting[k].pop()
        order.append(image)
        used.add(image)
        for other in sets[image]:
            taken[other] += 1
    return np.array(order, np.int64)


def nested_subset(labels: Sequence[Iterable[int]], fraction: float, seed: int) -> np.ndarray:
    """Indices of the subset of ⌈fraction · N⌉ images, ascending; see :func:`nested_order`.

    Raises:
        ValueError: A fraction outside (0, 1].
    """
    if not 0 < fraction <= 1:
        raise ValueError(f'fraction={fraction}; it must lie in (0, 1]')
    # A hair less, so that 0.1 · 70 is 7 images and not 8.
    count = int(np.ceil(fraction * len(labels) - 1e-9))
    return np.sort(nested_order(labels, seed)[:count])
