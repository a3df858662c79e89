"""Thresholds against the plain search over all cuts."""

import numpy as np
import pytest

from tcnn_mm.evaluation.thresholds import best_threshold, best_thresholds, pairs_in_order


def f1_of(scores, labels, threshold):
    """By the definition, image by image."""
    tp = sum(s >= threshold and y == 1 for s, y in zip(scores, labels, strict=True))
    fp = sum(s >= threshold and y == -1 for s, y in zip(scores, labels, strict=True))
    fn = sum(s < threshold and y == 1 for s, y in zip(scores, labels, strict=True))
    return 2 * tp / (2 * tp + fp + fn) if tp else 0.0


def in_order(scores, labels):
    """Pair by pair."""
    pairs = [
        0.5 if p == n else float(p > n) for p in scores[labels == 1] for n in scores[labels == -1]
    ]
    return sum(pairs) / len(pairs)


def test_scores_that_tell_nothing_give_no_threshold():
    """A rare class ranked last would be given to nearly every image; one ranked first is kept."""
    scores, last = np.arange(20.0), np.full(20, -1)
    last[:2] = 1
    assert np.isnan(best_threshold(scores, last)).all()
    assert best_threshold(scores, last[::-1]) == (17.5, 1.0)
    # A class that half of the images have is given to all of them: that is right half of the time.
    half = np.where(np.arange(20) < 10, 1, -1)
    assert best_threshold(scores, half) == (0.0, pytest.approx(2 / 3))
    for seed in range(20):
        random = np.random.default_rng(seed)
        scores, labels = random.integers(0, 9, 30), random.integers(-1, 2, 30)
        known = labels != 0
        found = pairs_in_order(scores[known], labels[known] == 1)
        assert found == pytest.approx(in_order(scores, labels))


@pytest.mark.parametrize('seed', range(30))
def test_no_cut_is_better(seed):
    """Ties, difficult images, tiny scores: F1 equals the best over every score as a threshold."""
    random = np.random.default_rng(seed)
    n = int(random.integers(1, 40))
    scores = random.integers(0, 8, n) / 8 if seed % 2 else random.random(n) ** 20
    labels = random.integers(-1, 2, n)
    if not (labels == 1).any():
        labels[0] = 1
    threshold, f1 = best_threshold(scores, labels)
    if np.isnan(threshold):
        assert 2 * (labels == 1).sum() < (labels != 0).sum() and in_order(scores, labels) <= 0.5
        return
    assert f1 == pytest.approx(max(f1_of(scores, labels, t) for t in scores), abs=1e-15)
    assert f1_of(scores, labels, threshold) == f1


def test_by_hand():
    """Three named of which two are right, one positive missed would be worse: 0.5 is the middle."""
    scores, labels = [0.9, 0.8, 0.6, 0.4, 0.1], [1, -1, 1, -1, -1]
    assert best_threshold(scores, labels) == (0.5, 0.8)
    # A difficult image does not count, at any rank.
    assert best_threshold([*scores, 0.95, 0.45], [*labels, 0, 0]) == (0.5, 0.8)


def test_equal_f1_takes_the_higher_threshold_and_all_named_the_lowest_score():
    """[1, -1, -1, 1]: F1 2/3 at one and at four named. Positives alone: their lowest score."""
    assert best_threshold([4, 3, 2, 1], [1, -1, -1, 1]) == (3.5, pytest.approx(2 / 3))
    assert best_threshold([0.3, 0.7], [1, 1]) == (0.3, 1.0)


def test_adjacent_floats_are_separated():
    """No number lies between them: the threshold is the higher one."""
    low = 0.1
    high = np.nextafter(low, 1)
    assert best_threshold([high, low], [1, -1]) == (high, 1.0)


def test_classes_apart_and_nan_without_positives():
    """Each column by itself; a class that no image has gets no threshold."""
    scores = np.array([[0.9, 0.2, 0.5], [0.1, 0.4, 0.5]])
    labels = np.array([[1, -1, -1], [-1, 1, 0]])
    thresholds, f1 = best_thresholds(scores, labels)
    np.testing.assert_allclose(thresholds, [0.5, 0.3, np.nan])
    np.testing.assert_allclose(f1, [1, 1, np.nan])


def test_what_is_refused():
    """Shapes that differ, NaN scores, other labels."""
    with pytest.raises(ValueError, match='must both be'):
        best_thresholds(np.ones((2, 3)), np.ones((3, 2)))
    with pytest.raises(ValueError, match='NaN'):
        best_thresholds([[np.nan]], [[1]])
    with pytest.raises(ValueError, match='1, 0 or -1'):
        best_thresholds([[0.5]], [[2]])
