"""Greedy facility location: closed forms, and that the order of the images does not matter."""

import numpy as np
import pytest

from tcnn_mm.labelling import suggest_choice
from tcnn_mm.labelling.suggest_choice import (
    BLOCK,
    choose_spread,
    nearest_similarity,
    unit_features,
)


def clusters(*sizes, dims=8, noise=0.05, seed=0):
    """Points around one axis per cluster, of length 1."""
    random = np.random.default_rng(seed)
    rows = [
        np.eye(dims)[k] + noise * random.standard_normal((size, dims))
        for k, size in enumerate(sizes)
    ]
    found = np.concatenate(rows).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def gains(features, best, weights):
    """Of each candidate by the definition."""
    similar = features @ features.T
    return (weights[:, None] * np.maximum(similar - best[:, None], 0)).sum(0)


def test_two_clusters_give_one_image_of_each_first():
    """Of 20 and 10 images: the larger cluster, the smaller one, and how many they stand for."""
    points = clusters(20, 10)
    found = choose_spread(points, points[:0], 2)
    assert (found.chosen < 20).tolist() == [True, False]
    assert found.stands_for.tolist() == [20, 10]
    assert found.nearest[0] == -1 and found.nearest[1] < 0.5


def test_the_most_typical_image_of_a_cluster_is_chosen():
    """The middle of three on a line."""
    angles = np.array([-0.3, 0.02, 0.3])
    points = np.stack([np.cos(angles), np.sin(angles)], 1).astype(np.float32)
    assert choose_spread(points, points[:0], 1).chosen.tolist() == [1]


def test_what_is_labelled_is_not_asked_again():
    """One cluster has labels: the first choice is in the other one, though it is smaller."""
    points = clusters(30, 5)
    found = choose_spread(points, points[:3], 1, candidates=np.arange(35) >= 3)
    assert found.chosen[0] >= 30


def test_weights_say_what_matters():
    """Weights of 0 in one cluster: the other one is chosen."""
    points = clusters(30, 5)
    found = choose_spread(points, points[:0], 1, weights=(np.arange(35) >= 30).astype(float))
    assert found.chosen[0] >= 30


@pytest.mark.parametrize('at_once', [0, 4096])
def test_each_choice_has_the_highest_gain_of_all(at_once, monkeypatch):
    """Lazy bounds and blocks give what the definition gives, over more than one block."""
    monkeypatch.setattr(suggest_choice, 'AT_ONCE', at_once)
    random = np.random.default_rng(3)
    points, known = (random.standard_normal((n, 6)).astype(np.float32) for n in (BLOCK + 90, 5))
    points, known = unit_features(points, known)
    weights = random.random(len(points)).astype(np.float32)
    found = choose_spread(points, known, 12, weights)
    best = nearest_similarity(points, known)
    for pick in found.chosen:
        wanted = gains(points, best, weights)
        assert wanted[pick] == pytest.approx(wanted.max(), rel=1e-5)
        best = np.maximum(best, points @ points[pick])


def test_no_image_is_chosen_more_than_once_and_the_count_is_a_bound():
    """Also where the candidates are fewer than asked for, and where all images are the same."""
    points = clusters(4, 3)
    for rows in (points, np.repeat(points[:1], 7, 0), np.zeros((7, 4), np.float32)):
        found = choose_spread(rows, rows[:0], 10).chosen.tolist()
        assert sorted(found) == list(range(7))
        assert len(choose_spread(rows, rows[:2], 3).chosen) == 3
    mask = np.array([True, False] * 3 + [True])
    assert sorted(choose_spread(points, points[:0], 10, candidates=mask).chosen) == [0, 2, 4, 6]


def test_no_image_at_all():
    """Nothing to choose from is no error."""
    none = np.zeros((0, 4), np.float32)
    assert choose_spread(none, none, 5).chosen.tolist() == []


def test_features_become_directions_from_their_mean():
    """Length 1; a feature at the mean stays zero."""
    one, other = unit_features(np.array([[3.0, 0.0], [1.0, 0.0]]), np.array([[2.0, 0.0]]))
    assert one.tolist() == [[1, 0], [-1, 0]] and other.tolist() == [[0, 0]]
    assert one.dtype == np.float32
