"""What a checkpoint keeps of its training images, to tell images that are unlike them.

Features of a bounded number of training images, and for reference images their distance to the
nearest one and their best class score (:mod:`~tcnn_mm.evaluation.unfamiliar`). The file grows by
1.8 MB for 1280 channels.

Letters: N images, R training images that are kept, M reference images, K classes, D channels.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import numpy as np

from tcnn_mm.errors import UserError
from tcnn_mm.evaluation.unfamiliar import TrainingImages, nearest_distances, unit_vectors

# Of training images and of reference images.
MOST_IMAGES = 512
# Ranks among fewer say nothing.
FEWEST_IMAGES = 20


def keep_training_images(
    features: np.ndarray,
    scores: np.ndarray | None = None,
    most: int = MOST_IMAGES,
    seed: int = 0,
) -> TrainingImages | None:
    """Keep what :func:`unfamiliar` compares with; the training images are the reference.

    Args:
        features: (N, D) of the training images; those of more than `most` are drawn.
        scores: (N, K) of heads that did not see them. Defaults to none.
        most: R at most.
        seed: Of the draw.

    Returns:
        None of fewer than :data:`FEWEST_IMAGES`.
    """
    if len(features) < FEWEST_IMAGES:
        return None
    drawn = np.sort(np.random.default_rng(seed).permutation(len(features))[:most])
    vectors = unit_vectors(features[drawn]).astype(np.float16)
    best = None if scores is None else np.asarray(scores, np.float64)[drawn].max(1)
    return TrainingImages(vectors, nearest_distances(vectors, vectors, leave_out=True), best)


def with_reference(
    training: TrainingImages, features: np.ndarray, scores: np.ndarray
) -> TrainingImages:
    """The same with images that were not trained on as reference, at most as many as are kept.

    Args:
        training: Of the training images.
        features: (M, D) of the others; of fewer than :data:`FEWEST_IMAGES` nothing changes.
        scores: (M, K).
    """
    if len(features) < FEWEST_IMAGES:
        return training
    rows = slice(MOST_IMAGES)
    best = np.asarray(scores, np.float64)[rows].max(1)
    return training._replace(
        distances=nearest_distances(features[rows], training.vectors), scores=best
    )


def to_record(training: TrainingImages) -> dict[str, Any]:
    """Plain types for a checkpoint; the vectors as text."""
    count, width = training.vectors.shape
    data = np.ascontiguousarray(training.vectors, '<f2').tobytes()
    return dict(
        images=count,
        channels=width,
        vectors=base64.b64encode(data).decode('ascii'),
        distances=training.distances.tolist(),
        scores=None if training.scores is None else training.scores.tolist(),
    )


def recorded_training_images(stored: Mapping[str, Any], name: str) -> TrainingImages | None:
    """What a checkpoint keeps of its training images; None in files that keep nothing.

    Args:
        stored: `meta['tcnn_mm']` of the checkpoint.
        name: Of its file, for the error.

    Raises:
        UserError: The entry holds no vectors, or not as many scores as distances.
    """
    found = stored.get('training_images')
    if not found:
        return None
    try:
        shape = int(found['images']), int(found['channels'])
        data = base64.b64decode(found['vectors'], validate=True)
        vectors = np.frombuffer(data, '<f2').reshape(shape)
        distances = np.array(found['distances'], np.float32)
        scores = None if found['scores'] is None else np.array(found['scores'], np.float64)
        ranked: list[np.ndarray] = [distances, *([] if scores is None else [scores])]
        if min(shape) < 1 or not all(np.isfinite(each).all() for each in (vectors, *ranked)):
            raise ValueError('NaN, infinity or nothing')
        if {each.shape for each in ranked} != {(max(1, len(distances)),)}:
            raise ValueError('scores and distances of different numbers')
    except (TypeError, ValueError, KeyError, OverflowError, binascii.Error) as error:
        raise UserError(
            f"{name}: meta['tcnn_mm']['training_images'] holds no vectors of images "
            f'({str(error)[:80]}); the file was changed since it was written: take another copy'
        ) from error
    return TrainingImages(vectors, distances, scores)
