"""How unlike the training images an image is: closed forms, order, bounds of memory."""

import numpy as np
import pytest

from tcnn_mm.evaluation.training_images import keep_training_images
from tcnn_mm.evaluation.unfamiliar import UNLIKE, nearest_distances, unfamiliar


def angles(*degrees):
    """Vectors (N, 2) of any length at these angles."""
    at = np.deg2rad(degrees)
    return np.stack([np.cos(at), np.sin(at)], 1) * np.linspace(1, 9, len(at))[:, None]


# Neighbours are 1, 2, 3 … degrees apart: the distances of the training images are all known.
TRAINING = angles(*np.cumsum(np.arange(25)) * 0.5)


def far(features, training):
    """Values by the distances alone: no scores are ranked."""
    return unfamiliar(features, np.zeros((len(features), 2)), training)


@pytest.fixture
def training():
    return keep_training_images(TRAINING)


def test_distances_are_one_minus_the_cosine():
    """To the nearest other one where the vectors are the kept ones, whatever the length."""
    vectors = angles(0, 60, 90, 180)
    assert nearest_distances(vectors, vectors) == pytest.approx(np.zeros(4), abs=1e-6)
    expected = 1 - np.cos(np.deg2rad([60, 30, 30, 90]))
    assert nearest_distances(vectors, vectors, leave_out=True) == pytest.approx(expected, abs=1e-3)


def test_a_duplicate_has_the_lowest_value_and_a_stranger_the_highest(training):
    """0 and 1; also a longer copy of the same direction."""
    assert not far(TRAINING, training).any() and not far(3 * TRAINING, training).any()
    assert (far(-TRAINING[:3], training) == 1).all()


def test_the_value_is_the_share_of_training_images_that_are_nearer(training):
    """It counts the leave-one-out distances below that of the image, and rises with it."""
    last, gaps = np.cumsum(np.arange(25))[-1] * 0.5, np.arange(1, 25) * 0.5
    steps = np.array([0.8, 2.2, 4.2, 8.2, 11.2, 20])
    nearest = np.r_[gaps[0], np.minimum(gaps[:-1], gaps[1:]), gaps[-1]]
    values = far(angles(*(last + steps)), training)
    assert values == pytest.approx((nearest < steps[:, None]).mean(1), abs=0.041)
    assert (np.diff(values) > 0).all() and values[-1] == 1


def test_images_like_the_training_images_have_uniform_values():
    """Of the same distribution: the share from the threshold on is 5 %, the mean one half."""
    features = np.random.default_rng(0).normal(size=(1400, 16)) + 4 * np.eye(16)[0]
    training = keep_training_images(features[:400])
    values = far(features[400:], training)
    assert values.min() >= 0 and values.max() <= 1
    assert abs((values >= UNLIKE).mean() - (1 - UNLIKE)) < 0.03
    assert abs(values.mean() - 0.5) < 0.05


@pytest.mark.parametrize('scored', [False, True])
def test_the_order_of_images_changes_nothing(scored):
    """Neither of the predicted images nor of the training images; alone is as together."""
    random = np.random.default_rng(3)
    vectors, images = random.normal(size=(40, 8)), random.normal(size=(30, 8))
    best, scores = random.random((40, 2)), random.random((30, 2))
    value = unfamiliar(images, scores, keep_training_images(vectors, best if scored else None))
    assert ((value >= 0) & (value <= 1)).all() and len(set(value)) > 10
    order, other = random.permutation(40), random.permutation(30)
    mixed = keep_training_images(vectors[order], best[order] if scored else None)
    np.testing.assert_array_equal(unfamiliar(images[other], scores[other], mixed), value[other])
    alone = [unfamiliar(images[i : i + 1], scores[i : i + 1], mixed)[0] for i in range(30)]
    np.testing.assert_array_equal(alone, value)


def test_a_constant_set_of_features():
    """Its own vector is as near as they are to each other; any other is unlike."""
    training = keep_training_images(np.ones((30, 5)))
    assert far(np.ones((2, 5)), training).tolist() == [0, 0]
    assert far(np.eye(5), training).tolist() == [1] * 5
    assert far(np.zeros((1, 5)), training).tolist() == [1]


@pytest.mark.parametrize('chunk', [1, 7, 30, 1000])
def test_chunks_give_the_distances_of_the_whole(chunk):
    """The memory is bounded by vectors at a time; the diagonal is left out in each."""
    vectors = np.random.default_rng(1).normal(size=(30, 8))
    for leave_out in (True, False):
        whole = nearest_distances(vectors, vectors, leave_out)
        assert nearest_distances(vectors, vectors, leave_out, chunk) == pytest.approx(
            whole, abs=1e-6
        )


def test_a_low_best_score_makes_an_image_more_unlike():
    """At one distance the value falls as the best score rises, at one score with the nearness."""
    best = np.random.default_rng(0).random(25)
    training = keep_training_images(TRAINING, best[:, None] * [1, 0.5])
    assert training.scores.tolist() == pytest.approx(best)
    image, tried = np.repeat(angles(160), 5, 0), np.linspace(0, 1.1, 5)[:, None]
    values = unfamiliar(image, tried, training)
    assert (np.diff(values) <= 0).all() and values[0] == 1 and values[-1] < 0.9
    by_distance = unfamiliar(angles(150.1, 155, 158, 165), np.full((4, 1), 0.55), training)
    assert (np.diff(by_distance) >= 0).all() and by_distance[-1] > by_distance[0]
