"""Which images to label next: typical and different ones while labels are few, then doubtful ones.

Greedy facility location (Wei, Iyer and Bilmes, "Submodularity in Data Subset Selection and Active
Learning", ICML 2015): each image is represented by the most similar labelled or chosen one, and the
next choice is the image that adds most to the sum of these similarities.

Letters: N images, L labelled images, K classes, D channels, B of a block, n chosen.
"""

from typing import NamedTuple

import numpy as np

TYPICAL, UNCERTAIN = 'typical', 'uncertain'
# Labelled images below which heads know too little to say what they do not know.
FEW = 100
# Candidates whose gains are computed together.
BLOCK = 32
# Images up to which all similarities are computed at once: 64 MB.
AT_ONCE = 4096
# Similarity to nothing: that of opposite features.
NONE = -1.0


class Pick(NamedTuple):
    """One image to label.

    Attributes:
        image (int): Its number.
        kind (str): :data:`TYPICAL` or :data:`UNCERTAIN`.
        stands_for (int): Images of the pool, itself among them, that it is the most similar one to,
            of all that are labelled or chosen.
    """

    image: int
    kind: str
    stands_for: int


def typical_share(labelled: int, classes: int) -> float:
    """Which share of the images to label are typical and different ones; the others are uncertain.

    All of them below :data:`FEW` labelled images, none above: chosen by
    `tools/analysis_tools/suggest_simulation.py` on seeds that are not reported.

    Args:
        labelled: Number of labelled images.
        classes: K; 0 where no head is trained.
    """
    return 1.0 if not classes or labelled < FEW else 0.0


def choose(
    features: np.ndarray,
    known: np.ndarray,
    bits: np.ndarray | None,
    count: int,
    share: float,
) -> list[Pick]:
    """Choose images to label, the most useful first.

    Args:
        features: (N, D) of whole images; of equally useful ones the first is chosen.
        known: (L, D) of labelled images.
        bits: (N,) uncertainty of each image; None without a head.
        count: At most so many.
        share: Of the typical and different ones; they come first.

    Returns:
        Different images; fewer than `count` where N is less.
    """
    mine, there = unit_features(features, known if len(known) else features[:0])
    count = min(count, len(mine))
    first = count if bits is None else round(count * share)
    typical = choose_spread(mine, there, first)
    picks = [
        Pick(image, TYPICAL, number)
        for image, number in zip(typical.chosen.tolist(), typical.stands_for.tolist(), strict=True)
    ]
    if bits is None or first == count:
        return picks
    open_ = np.ones(len(mine), bool)
    open_[typical.chosen] = False
    there = np.concatenate([there, mine[typical.chosen]])
    doubtful = choose_spread(mine, there, count - first, bits, open_)
    return picks + [
        Pick(image, UNCERTAIN, number)
        for image, number in zip(
            doubtful.chosen.tolist(), doubtful.stands_for.tolist(), strict=True
        )
    ]


class Choice(NamedTuple):
    """What was chosen, in order.

    Attributes:
        chosen (ndarray): (n,) int64 numbers of images.
        stands_for (ndarray): (n,) int64 images, itself among them, that are more similar to it than
            to any labelled or other chosen image.
        nearest (ndarray): (n,) similarity to the nearest labelled or earlier image; -1 without any.
    """

    chosen: np.ndarray
    stands_for: np.ndarray
    nearest: np.ndarray


def unit_features(*features: np.ndarray) -> list[np.ndarray]:
    """Features as directions from their common mean: each (N, D) → (N, D) float32, length 1.

    A feature at the mean has no direction: it stays zero.
    """
    parts = [np.asarray(each, np.float32) for each in features]
    centre = np.concatenate(parts).mean(0, dtype=np.float64).astype(np.float32)
    moved = [each - centre for each in parts]
    lengths = [np.linalg.norm(each, axis=1, keepdims=True) for each in moved]
    return [
        np.divide(each, length, out=np.zeros_like(each), where=length > 0)
        for each, length in zip(moved, lengths, strict=True)
    ]


def nearest_similarity(features: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Similarity of each of (N, D) to the most similar of (L, D): (N,); -1 where L is 0."""
    best = np.full(len(features), NONE, np.float32)
    for at in range(0, len(known), BLOCK):
        np.maximum(best, (features @ known[at : at + BLOCK].T).max(1), out=best)
    return best


class SimilarityRows:
    """Similarities of images to all images, computed when asked for, or at once for few images.

    Args:
        features: (N, D) of length 1.
    """

    def __init__(self, features: np.ndarray) -> None:
        self.features = features
        self.known = features @ features.T if len(features) <= AT_ONCE else None

    def __getitem__(self, images: int | np.ndarray) -> np.ndarray:
        """(N,) of one image, (n, N) of several."""
        if self.known is not None:
            return self.known[images]
        return self.features[images] @ self.features.T


def choose_spread(
    features: np.ndarray,
    known: np.ndarray,
    count: int,
    weights: np.ndarray | None = None,
    candidates: np.ndarray | None = None,
) -> Choice:
    """Choose images that represent the others best.

    Args:
        features: (N, D) of length 1, of :func:`unit_features`.
        known: (L, D) of what is labelled already.
        count: At most so many; fewer where there are fewer candidates.
        weights: (N,) from 0 on, how much it matters that an image is represented. Defaults to 1.
        candidates: (N,) bool, which may be chosen. Defaults to all.

    Returns:
        The choice; of equal gains the first image.
    """
    number = len(features)
    weight = np.ones(number, np.float32) if weights is None else np.asarray(weights, np.float32)
    open_ = np.ones(number, bool) if candidates is None else np.array(candidates, bool)
    best = nearest_similarity(features, known)
    rows = SimilarityRows(features)
    owner = np.full(number, -1)
    bound = np.full(number, -np.inf)
    bound[open_] = np.inf
    chosen: list[int] = []
    nearest = []
    for _ in range(min(count, int(open_.sum()))):
        pick = _next(rows, weight, best, bound)
        nearest.append(float(best[pick]))
        similar = rows[pick]
        mine = similar > best
        mine[pick] = True  # also where it equals a labelled image
        owner[mine] = len(chosen)
        best[mine] = similar[mine]
        bound[pick] = -np.inf
        chosen.append(pick)
    return Choice(
        np.array(chosen, np.int64),
        np.array([(owner == n).sum() for n in range(len(chosen))], np.int64),
        np.array(nearest),
    )


def _next(rows: SimilarityRows, weight: np.ndarray, best: np.ndarray, bound: np.ndarray) -> int:
    """The candidate of the highest gain; `bound` (N,), no smaller than the gains, is lowered.

    Gains only shrink as more is chosen, so a gain of before bounds that of now: most candidates
    are not computed again.
    """
    top, gain = -1, -np.inf
    order = np.argsort(-bound, kind='stable')
    for at in range(0, len(order), BLOCK):
        block = order[at : at + BLOCK]
        block = block[bound[block] >= max(gain, 0)]
        if not len(block):
            break
        bound[block] = np.maximum(rows[block] - best, 0) @ weight
        found = bound[block].max()
        first = int(block[bound[block] == found].min())
        if found > gain or (found == gain and first < top):
            top, gain = first, found
    return top
