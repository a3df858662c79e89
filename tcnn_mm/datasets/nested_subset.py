"""Growing subsets of a training set that keep its class frequencies."""

import heapq
import math
from collections.abc import Iterable, Sequence

import numpy as np

from tcnn_mm.errors import InvalidValueError


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
    # Of each class its images, the next one last.
    waiting: dict[int, list[int]] = {}
    for image in np.random.default_rng(seed).permutation(len(sets))[::-1].tolist():
        for k in sets[image]:
            waiting.setdefault(k, []).append(image)
    total = {k: len(mine) for k, mine in waiting.items()}
    taken = dict.fromkeys(waiting, 0)
    order: list[int] = []
    used = [False] * len(sets)

    def entry(k: int) -> tuple[float, int, int, int]:
        """Sorts the most urgent class first, then the rarer, then the one of the lower number."""
        count = taken[k]
        urgency = total[k] / math.sqrt(count * (count + 1)) if count else math.inf
        return -urgency, total[k], k, count

    # A class only gets less urgent, so an outdated entry comes too early and never too late.
    heap = [entry(k) for k in waiting]
    heapq.heapify(heap)
    while heap:
        _, _, k, count = heap[0]
        mine = waiting[k]
        while mine and used[mine[-1]]:
            mine.pop()
        if not mine:
            heapq.heappop(heap)
        elif count != taken[k]:
            heapq.heapreplace(heap, entry(k))
        else:
            image = mine.pop()
            order.append(image)
            used[image] = True
            for other in sets[image]:
                taken[other] += 1
    return np.array(order, np.int64)


def nested_subset(labels: Sequence[Iterable[int]], fraction: float, seed: int) -> np.ndarray:
    """Indices of the subset of ⌈fraction · N⌉ images, ascending; see :func:`nested_order`.

    Raises:
        ValueError: A fraction outside (0, 1].
    """
    if not 0 < fraction <= 1:
        raise InvalidValueError(f'fraction={fraction}; it must lie in (0, 1]')
    # A hair less, so that 0.1 · 70 is 7 images and not 8.
    count = int(np.ceil(fraction * len(labels) - 1e-9))
    return np.sort(nested_order(labels, seed)[:count])
