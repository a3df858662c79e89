"""What a checkpoint keeps of its training images: how much, of which images, and as a record."""

import json

import numpy as np
import pytest

from tcnn_mm.errors import UserError
from tcnn_mm.evaluation.training_images import (
    FEWEST_IMAGES,
    MOST_IMAGES,
    keep_training_images,
    recorded_training_images,
    to_record,
    with_reference,
)
from tcnn_mm.evaluation.unfamiliar import nearest_distances, unfamiliar

TRAINING = np.random.default_rng(5).normal(size=(25, 6))


@pytest.fixture
def training():
    return keep_training_images(TRAINING)


def test_of_many_training_images_a_part_is_kept_and_of_few_none():
    """The checkpoint grows by a bounded size; ranks among few images say nothing."""
    features = np.random.default_rng(2).normal(size=(MOST_IMAGES + 50, 4))
    kept = keep_training_images(features)
    assert kept.vectors.shape == (MOST_IMAGES, 4) and kept.vectors.dtype == np.float16
    assert np.array_equal(kept.vectors, keep_training_images(features).vectors)
    assert keep_training_images(features[: FEWEST_IMAGES - 1]) is None
    assert keep_training_images(features[:FEWEST_IMAGES]) is not None


def test_images_that_were_not_trained_on_are_the_reference(training):
    """Their distances to the training images and their best scores; too few change nothing."""
    others, scores = np.random.default_rng(6).normal(size=(30, 6)), np.full((30, 3), 0.25)
    found = with_reference(training, others, scores)
    assert found.distances == pytest.approx(nearest_distances(others, training.vectors))
    assert found.scores.tolist() == [0.25] * 30 and found.vectors is training.vectors
    assert with_reference(training, others[:5], scores[:5]) is training


@pytest.mark.parametrize('scored', [False, True])
def test_the_record_of_a_checkpoint(scored):
    """JSON's types that give the same values; nothing of an older file."""
    scores = np.random.default_rng(0).random((25, 2)) if scored else None
    training = keep_training_images(TRAINING, scores)
    record = json.loads(json.dumps(to_record(training)))
    found = recorded_training_images(dict(training_images=record), 'a.pth')
    for mine, theirs in zip(found, training, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    images, tried = np.random.default_rng(1).normal(size=(9, 6)), np.full((9, 2), 0.4)
    np.testing.assert_array_equal(
        unfamiliar(images, tried, found), unfamiliar(images, tried, training)
    )
    assert recorded_training_images({}, 'a.pth') is None


@pytest.mark.parametrize(
    'change',
    [
        dict(vectors='????'),
        dict(vectors='AAAA'),
        dict(images=7),
        dict(images=-1),
        dict(channels=None),
        dict(vectors=None),
        dict(vectors='AHw=', images=1, channels=1),
        dict(distances=[]),
        dict(distances=[float('nan')]),
        dict(scores=[0.5]),
        dict(scores='text'),
    ],
)
def test_a_record_that_holds_no_vectors_is_one_line(training, change):
    """A file that was changed or cut: its name and its entry."""
    record = {**to_record(training), **change}
    with pytest.raises(UserError, match=r"a.pth: meta.*'training_images'.* holds no vectors"):
        recorded_training_images(dict(training_images=record), 'a.pth')
