"""A fit keeps features of its training images, ranked by scores of heads that did not see them."""

import numpy as np
import pytest

from tcnn_mm.checkpoints.loading import load_safely
from tcnn_mm.estimator import keep_images
from tcnn_mm.estimator.keep_images import store_training_images
from tcnn_mm.evaluation.training_images import recorded_training_images
from tests.support.small_checkpoint import write_small_checkpoint

RANDOM = np.random.default_rng(0)
FEATURES = dict(train=RANDOM.normal(size=(30, 256)), val=RANDOM.normal(size=(22, 256)))
SCORES = dict(train=RANDOM.random((30, 3)), val=RANDOM.random((22, 3)))


@pytest.fixture
def checkpoint(tmp_path, monkeypatch):
    """A checkpoint, and banks of :data:`FEATURES`."""
    write_small_checkpoint(tmp_path / 'a.pth')
    monkeypatch.setattr(keep_images, 'bank_features', lambda cfg, role: FEATURES[role])
    return str(tmp_path / 'a.pth')


def kept(checkpoint):
    return recorded_training_images(load_safely(checkpoint)['meta']['tcnn_mm'], checkpoint)


def test_folds_rank_the_training_images_themselves(checkpoint):
    """Each by the head that did not see it."""
    store_training_images({}, checkpoint, held_out=SCORES['train'])
    found = kept(checkpoint)
    assert found.vectors.shape == (30, 256)
    np.testing.assert_array_equal(found.scores, SCORES['train'].max(1))
    assert found.distances.min() > 0.5  # each is left out of its own neighbours


def test_one_split_ranks_the_images_of_val(checkpoint):
    """Their distances to the training images, and their scores."""
    store_training_images({}, checkpoint, val=SCORES['val'])
    found = kept(checkpoint)
    assert found.vectors.shape == (30, 256) and found.distances.shape == (22,)
    np.testing.assert_array_equal(found.scores, SCORES['val'].max(1))


def test_without_such_scores_distances_alone_are_ranked(checkpoint, monkeypatch):
    """What is there is not written again; of sampled maps, without means, nothing is kept."""
    with monkeypatch.context() as patch:
        patch.setattr(keep_images, 'bank_features', lambda cfg, role: None)
        store_training_images({}, checkpoint)
    assert kept(checkpoint) is None
    store_training_images({}, checkpoint)
    assert kept(checkpoint).scores is None
    with open(checkpoint, 'rb') as file:
        before = file.read()
    store_training_images({}, checkpoint, held_out=SCORES['train'])
    with open(checkpoint, 'rb') as file:
        assert file.read() == before
