"""Uncertainty of images and patches: closed forms."""

import numpy as np
import pytest

from tcnn_mm.labelling.suggest_votes import (
    binary_entropy,
    uncertain_patch,
    uncertainty,
)


def test_the_image_at_one_half_is_the_most_uncertain():
    """1 bit at 0.5, symmetric, none at 0 and 1."""
    assert binary_entropy(np.array([0, 0.5, 1])).tolist() == [0, 1, 0]
    p = np.array([0.02, 0.3, 0.5, 0.8, 1.0])
    assert uncertainty(p[None, :, None]).argmax() == 2
    assert binary_entropy(p) == pytest.approx(binary_entropy(1 - p))


def test_heads_that_differ_are_uncertain_together():
    """Two sure heads that contradict each other: 1 bit, as for two that are at 0.5."""
    contrary = np.array([[[0.0]], [[1.0]]])
    assert uncertainty(contrary)[0, 0] == 1
    same = np.array([[[0.5]], [[0.5]]])
    assert uncertainty(same)[0, 0] == 1


def test_a_class_of_which_nothing_is_known_counts_nothing():
    """nan in all heads."""
    p = np.array([[[np.nan, 0.5]]])
    assert uncertainty(p).tolist() == [[0, 1]]


def test_the_uncertain_patch_is_that_whose_mean_vote_is_at_one_half():
    """Of equal means the one that the heads disagree on most, then the first."""
    assert uncertain_patch(np.array([[0.1, 0.45, 0.99]])) == 1
    assert uncertain_patch(np.array([[0.5, 0.1, 0.5], [0.5, 0.9, 0.5]])) == 1
    assert uncertain_patch(np.array([[0.5, 0.5]])) == 0
