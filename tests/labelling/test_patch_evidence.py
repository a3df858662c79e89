"""The strongest votes inside a box, away from boxes, and anywhere."""

import numpy as np
import pytest

from tcnn_mm.labelling.patch_evidence import patch_evidence, strongest

PATCHES = np.array([[0, 0, 40, 40], [60, 0, 100, 40], [0, 60, 40, 100], [0, 0, 100, 100]], float)


def test_votes_of_patches_by_their_place():
    """Of a class with a box: the patch that shows it, and the best one that does not touch it."""
    votes = np.array([[0.2, 0.1], [0.6, 0.3], [0.5, 0.4], [0.9, 0.8]])
    found = patch_evidence(PATCHES, votes, [[2, 2, 38, 38]], [0])
    assert found.best.tolist() == [0.9, 0.8] and found.best_patch[0].tolist() == [0, 0, 100, 100]
    assert found.away.tolist() == [0.6, 0.8] and found.away_patch[0].tolist() == [60, 0, 100, 40]
    # The box is a tenth of the whole image: that patch does not show it, and is not away from it.
    assert found.inside.tolist() == [[0.2, 0.1]]
    assert found.inside_patch[0, 1].tolist() == [0, 0, 40, 40]


def test_a_patch_that_shows_two_classes_says_nothing_of_either():
    """And a box of another class that a patch touches explains its votes for that class."""
    votes = np.full((4, 3), 0.5)
    boxes = [[0, 0, 40, 40], [5, 5, 40, 40], [60, 0, 70, 40]]
    found = patch_evidence(PATCHES, votes, boxes, [0, 1, 2])
    assert np.isnan(found.inside[0]).all() and np.isnan(found.inside[1]).all()
    found = patch_evidence(PATCHES, votes, [[60, 0, 100, 40], [60, 0, 72, 20]], [0, 1])
    assert found.inside[0, 0] == found.inside[0, 2] == 0.5 and np.isnan(found.inside[0, 1])


def test_nothing_away_from_a_box_over_the_image():
    """nan, with a patch of nan; without boxes nothing is inside."""
    votes = np.full((4, 2), 0.5)
    found = patch_evidence(PATCHES, votes, [[0, 0, 100, 100]], [1])
    assert np.isnan(found.away[1]) and np.isnan(found.away_patch[1]).all() and found.away[0] == 0.5
    none = patch_evidence(PATCHES, votes, np.zeros((0, 4)), [])
    assert none.inside.shape == (0, 2) and none.inside_patch.shape == (0, 2, 4)
    assert np.array_equal(none.away, none.best)


@pytest.mark.parametrize('order', [[0, 1, 2, 3], [3, 2, 1, 0]])
def test_of_equal_votes_the_smallest_patch(order):
    """A patch of the whole image names no place."""
    vote, patch = strongest(PATCHES[order], np.full(4, 0.5), np.array([True] * 4))
    assert vote == 0.5 and patch.tolist() in PATCHES[:3].tolist()
