"""Figures of held-out classes: areas by closed form and scikit-learn, bounds, and drift."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from tcnn_mm.analysis.unfamiliar_comparison import (
    UNFAMILIAR,
    Comparison,
    divide,
    mahalanobis,
    rank,
)
from tcnn_mm.analysis.unfamiliar_figures import auc_draws, drift_rate, mean_aucs


def comparison(shift, seed=0, images=400):
    """Half of the images are unfamiliar: their values are moved, and capped at 1."""
    values = np.random.default_rng(seed).random(images)
    truth = np.arange(images) % 2 == 0
    values[truth] = np.minimum(values[truth] + shift, 1)
    return Comparison(['a'], 100, np.arange(images), truth, {UNFAMILIAR: values}, 100)


def test_images_of_both_kinds_of_classes_are_left_out():
    """Known classes alone, others alone; without any label neither."""
    labels = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 1], [0, 0, 1], [0, 0, 0]], bool)
    same, other = divide(labels, [0, 1])
    assert same.tolist() == [0, 1] and other.tolist() == [3]


def test_a_draw_is_the_area_of_its_images():
    """Ties count one half; an image that is drawn twice counts twice."""
    values, truth = np.array([0.5, 0.5, 0.1, 0.9]), np.array([True, False, False, True])
    draws = np.array([[1, 1, 1, 1], [2, 1, 0, 1], [1, 1, 1, 0]])
    expected = [(0.5 + 1 + 1 + 1) / 4, (0.5 + 0.5 + 1) / 3, 1.5 / 2]
    assert auc_draws(values, truth, draws) == pytest.approx(expected)
    one = comparison(0.3)
    found = auc_draws(one.values[UNFAMILIAR], one.truth, np.ones((1, 400)))
    assert found[0] == pytest.approx(roc_auc_score(one.truth, one.values[UNFAMILIAR]))


def test_the_mean_lies_between_its_bounds():
    """One half without a difference; two choices are averaged."""
    none, some = comparison(0), comparison(0.5, 1)
    alone, both = (mean_aucs(found)[UNFAMILIAR] for found in ([none], [none, some]))
    assert alone.low < 0.5 < alone.high and alone.low < alone.value < alone.high
    expected = [roc_auc_score(one.truth, one.values[UNFAMILIAR]) for one in (none, some)]
    assert both.value == pytest.approx(np.mean(expected))


def test_drift_is_said_of_unfamiliar_images():
    """Rarely of a folder of familiar ones, always of unfamiliar ones."""
    found = [comparison(0.8, seed) for seed in range(5)]
    assert drift_rate(found, 20, 0, 40) < 0.1
    assert drift_rate(found, 20, 20, 40) == 1


def test_the_nearest_class_mean_in_units_of_the_spread():
    """Far along a direction of little spread is further than along one of much."""
    random = np.random.default_rng(0)
    labels = np.eye(2, dtype=bool)[np.arange(400) % 2]
    trained = random.normal(0, [3, 0.5], (400, 2)) + np.where(labels[:, :1], [20, 0], [0, 0])
    found = mahalanobis(np.array([[20.0, 0], [0, 0], [6, 0], [0, 6]]), trained, labels)
    assert found[0] < 1 and found[1] < 1 and found[2] == pytest.approx(4, rel=0.4)
    assert found[3] > 10 * found[2]


def test_a_rank_is_the_share_below():
    """0 below all, 1 above all."""
    assert rank(np.array([0, 2, 2.5, 9]), np.array([3, 1, 2])).tolist() == [0, 1 / 3, 2 / 3, 1]
