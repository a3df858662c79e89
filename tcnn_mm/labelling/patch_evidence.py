"""What the patches of one image say of its boxes, and of the classes away from them.

Letters: P patches, K classes, M boxes of the image.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from tcnn_mm.patches.geometry import areas, intersections

# A patch is away from a box if they share less than this share of either.
AWAY = 0.1
# Of a patch that shows a box: the paper's rule for labels of patches (sec. 4).
MIN_PATCH_SHARE, MIN_BOX_SHARE = 0.2, 0.6


class Vote(NamedTuple):
    """A vote for a class and its patch, (4,) xyxy pixels; nan for none."""

    value: float
    patch: np.ndarray


class PatchEvidence(NamedTuple):
    """The strongest votes of one image, with their patches; nan where no patch is of that kind.

    Attributes:
        best (ndarray): (K,) highest vote of any patch.
        best_patch (ndarray): (K, 4) xyxy pixels.
        away (ndarray): (K,) highest vote of the patches away from all boxes of the class; as `best`
            for a class without boxes.
        away_patch (ndarray): (K, 4).
        inside (ndarray): (M, K) highest vote of the patches that show the box and no box of
            another class; for another class only of those that no box of it touches, since it
            would explain the vote.
        inside_patch (ndarray): (M, K, 4).
    """

    best: np.ndarray
    best_patch: np.ndarray
    away: np.ndarray
    away_patch: np.ndarray
    inside: np.ndarray
    inside_patch: np.ndarray

    def anywhere(self, k: int) -> Vote:
        """The strongest for class `k`."""
        return Vote(float(self.best[k]), self.best_patch[k])

    def away_from_boxes(self, k: int) -> Vote:
        """The strongest for class `k` away from its boxes."""
        return Vote(float(self.away[k]), self.away_patch[k])

    def in_box(self, m: int, k: int) -> Vote:
        """The strongest for class `k` in box `m`."""
        return Vote(float(self.inside[m, k]), self.inside_patch[m, k])


def patch_evidence(
    patches: ArrayLike, votes: ArrayLike, boxes: ArrayLike, labels: ArrayLike
) -> PatchEvidence:
    """Find the strongest votes.

    Args:
        patches: (P, 4) xyxy pixels, P ≥ 1.
        votes: (P, K) by a head that did not see the image.
        boxes: (M, 4) xyxy pixels, difficult ones too.
        labels: (M,) class of each box.
    """
    patches, votes = np.asarray(patches, np.float64), np.asarray(votes, np.float64)
    boxes, labels = np.asarray(boxes, np.float64).reshape(-1, 4), np.asarray(labels, np.int64)
    shared = intersections(patches, boxes)
    of_patch, of_box = areas(patches)[:, None], areas(boxes)[None]
    shows = (shared >= MIN_PATCH_SHARE * of_patch) & (shared >= MIN_BOX_SHARE * of_box)
    touches = (shared >= AWAY * of_patch) | (shared >= AWAY * of_box)
    everywhere = np.ones(len(patches), bool)
    classes = range(votes.shape[1])
    best = [strongest(patches, votes[:, k], everywhere) for k in classes]
    away = [
        strongest(patches, votes[:, k], np.logical_not(touches[:, labels == k].any(1)))
        if (labels == k).any()
        else best[k]
        for k in classes
    ]
    part = np.stack([(shared[:, labels == k] >= AWAY * of_patch).any(1) for k in classes], 1)
    inside: list[Vote] = []
    for m, label in enumerate(labels):
        alone = shows[:, m] & ~shows[:, labels != label].any(1)
        inside += [
            strongest(patches, votes[:, k], alone if k == label else alone & ~part[:, k])
            for k in classes
        ]
    values, places = zip(*best, *away, *inside, strict=True)
    value, place, count = np.array(values), np.stack(places), len(classes)
    shape = (len(boxes), count)
    return PatchEvidence(
        best=value[:count],
        best_patch=place[:count],
        away=value[count : 2 * count],
        away_patch=place[count : 2 * count],
        inside=value[2 * count :].reshape(shape),
        inside_patch=place[2 * count :].reshape(*shape, 4),
    )


def strongest(patches: np.ndarray, votes: np.ndarray, chosen: np.ndarray) -> Vote:
    """The highest of some votes; of equal ones that of the smallest patch, then the first.

    Args:
        patches: (P, 4).
        votes: (P,) of one class.
        chosen: (P,) bool.

    Returns:
        nan if none is chosen.
    """
    if not chosen.any():
        return Vote(float('nan'), np.full(4, np.nan))
    top = votes[chosen].max()
    equal = np.flatnonzero(chosen & (votes == top))
    return Vote(float(top), patches[equal[np.argmin(areas(patches[equal]))]])
