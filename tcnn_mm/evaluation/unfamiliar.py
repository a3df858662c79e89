"""How unlike the training images an image is: how far from them, and how little any class is seen.

Two ranks are added: of the distance to the nearest training image (1 - cosine between the mean
features of the largest patches, which cover the image), and of the best class score. The value of
an image is the share of reference images whose sum is smaller. Reference images are those of the
validation, or the training images by leave-one-out, scored by heads that did not see them. So it is
uniform over images like these, and near 1 where neither a near image nor a class is found.

Letters: N images, R training images that are kept, M reference images, D channels.
"""

from typing import NamedTuple

import numpy as np

# From this value on an image looks unlike the training images; 5 % of images like them do.
UNLIKE = 0.95
# Distances of equal features differ by the rounding of float32 sums.
ROUNDING = 1e-6
_CHUNK = 1024


class TrainingImages(NamedTuple):
    """What is kept of the training images.

    Attributes:
        vectors (ndarray): (R, D) float16, of length 1.
        distances (ndarray): (M,) float32, of reference images to the nearest (other) training one.
        scores (ndarray, optional): (M,) float64, best class score of the same images; None where
            no head scored them unseen: distances alone are then ranked.
    """

    vectors: np.ndarray
    distances: np.ndarray
    scores: np.ndarray | None = None


def unit_vectors(features: np.ndarray) -> np.ndarray:
    """Features (N, …) as vectors (N, D) float32 of length 1; of zeros, zeros."""
    flat = np.asarray(features, np.float32).reshape(len(features), -1)
    length = np.linalg.norm(flat, axis=1, keepdims=True)
    return flat / np.where(length > 0, length, 1)


def nearest_distances(
    features: np.ndarray, kept: np.ndarray, leave_out: bool = False, chunk: int = _CHUNK
) -> np.ndarray:
    """Distance of each image to the nearest kept one.

    Args:
        features: (N, …), of any length.
        kept: (R, D) float16.
        leave_out: The features are the kept ones: each is compared with the others.
        chunk: Images at a time; bounds the memory.

    Returns:
        (N,) float32 in [0, 2].
    """
    others = unit_vectors(kept).T
    found = np.empty(len(features), np.float32)
    for first in range(0, len(features), chunk):
        # Rounded like the kept ones: the distance of a duplicate is 0.
        mine = unit_vectors(features[first : first + chunk]).astype(np.float16)
        near = unit_vectors(mine) @ others
        if leave_out:
            np.fill_diagonal(near[:, first:], -1)
        found[first : first + chunk] = 1 - near.max(1)
    return np.maximum(found, 0)


def _ranks(distances: np.ndarray, scores: np.ndarray, training: TrainingImages) -> np.ndarray:
    """Sum (N,) of the two ranks in [0, 1] among the reference images; without scores, of one."""
    number = len(training.distances)
    far = np.searchsorted(np.sort(training.distances), distances - ROUNDING, side='left') / number
    if training.scores is None:
        return far
    return far + 1 - np.searchsorted(np.sort(training.scores), scores, side='right') / number


def unfamiliar(features: np.ndarray, scores: np.ndarray, training: TrainingImages) -> np.ndarray:
    """Share of the reference images that are less unlike the training images than an image.

    Args:
        features: (N, D) of images.
        scores: (N, K), of classes.
        training: Of the images trained on.

    Returns:
        (N,) float64 in [0, 1].
    """
    far = nearest_distances(features, training.vectors)
    mine = _ranks(far, np.asarray(scores, np.float64).max(1), training)
    best = np.zeros(0) if training.scores is None else training.scores
    reference = np.sort(_ranks(training.distances, best, training))
    # Equal sums of ranks differ by the rounding of float64.
    return np.searchsorted(reference, mine - 1e-9, side='left') / len(reference)
