"""Growing parts of a training set that keep its mixture of classes; numpy alone."""

import numpy as np


def nested_order(labels, seed):
    """An order of the images whose every beginning is a stratified part of the set.

    The first n images are the part of size n, so a larger part contains every smaller one. At
    each step the class that lags behind most gives its next image, drawn at random: first every
    class gets one (the rarest first, so that few images do), then each grows in proportion to
    its share of the set, by the rule that apportions seats in a parliament (Huntington–Hill:
    total / √(taken · (taken + 1))). Images of no class are one more class.

    Args:
        labels (sequence[iterable[int]]): The classes of each image.
        seed (int): The order is a pure function of labels and seed.

    Returns:
        ndarray: (N,) int64, a permutation.
    """
    sets = [frozenset(map(int, mine)) or frozenset([-1]) for mine in labels]
    shuffled = np.random.default_rng(seed).permutation(len(sets))
    classes = sorted(set().union(*sets)) if sets else []
    # Of each class its images, the next one last.
    waiting = {k: [i for i in shuffled[::-1] if k in sets[i]] for k in classes}
    total = {k: len(mine) for k, mine in waiting.items()}
    taken, order, used = dict.fromkeys(classes, 0), [], set()

    def urgency(k):
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


def nested_subset(labels, fraction, seed):
    """Indices of the part of ⌈fraction · N⌉ images, ascending; see :func:`nested_order`."""
    if not 0 < fraction <= 1:
        raise ValueError(f'fraction={fraction}; it must lie in (0, 1]')
    # A hair less, so that 0.1 · 70 is 7 images and not 8.
    count = int(np.ceil(fraction * len(labels) - 1e-9))
    return np.sort(nested_order(labels, seed)[:count])
