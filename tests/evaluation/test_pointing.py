"""Pointing: closed-form cases, and a literal implementation of AP with wrong points."""

from fractions import Fraction

import numpy as np
import pytest

from tcnn_mm.evaluation.average_precision import voc_ap
from tcnn_mm.evaluation.pointing import hit_rate, point_ap, points_found

BOX = [[10, 20, 30, 40]]


@pytest.mark.parametrize(
    'point, inside',
    [((10, 20), True), ((30, 40), True), ((8, 18), True), ((32, 42), True), ((7.9, 30), False),
     ((20, 42.1), False), ((32.1, 42.1), False)],
)  # fmt: skip
def test_the_box_grows_by_the_tolerance(point, inside):
    """Two pixels around the box on each side, corners and borders included."""
    assert points_found([point], [0], BOX, [0], 2).tolist() == [inside]


def test_a_point_counts_for_its_own_class():
    """Each class's point is looked up among that class's boxes, any of them."""
    boxes = [[0, 0, 10, 10], [50, 50, 60, 60], [80, 0, 90, 10]]
    points = [[85, 5], [55, 55], [5, 5]]
    assert points_found(points, [0, 1, 2], boxes, [0, 1, 0], 0).tolist() == [True, True, False]
    assert points_found(points[:1], [1], np.zeros((0, 4)), [], 5).tolist() == [False]


def literal_ap(scores, gt, found, mode):
    """The paper's sentence, step by step: a miss is a false positive and a false negative."""
    tp = fp = 0
    positives = sum(int(g == 1) for g in gt)
    curve = []
    for i in sorted(range(len(scores)), key=lambda i: -scores[i]):
        if gt[i] == 0:
            continue
        if gt[i] == 1 and found[i]:
            tp += 1
        else:
            fp += 1
        missed = positives - tp  # not yet found, or never
        curve.append((Fraction(tp, tp + missed), Fraction(tp, tp + fp)))

    def best(recall):
        return max([p for r, p in curve if r >= recall], default=Fraction(0))

    if mode == 'voc07':
        return float(sum(best(Fraction(t, 10)) for t in range(11)) / 11)
    steps = sorted({r for r, _ in curve if r > 0})
    below = [Fraction(0), *steps]
    return float(sum((r - b) * best(r) for r, b in zip(steps, below, strict=False)))


@pytest.mark.parametrize('mode', ['voc07', 'voc10'])
def test_ap_with_misses_equals_the_literal_rule(mode):
    """Random rankings, with ties, ignored images and misses."""
    random = np.random.default_rng(0)
    for _ in range(200):
        n = random.integers(1, 25)
        scores = random.integers(0, 12, n) / 12
        gt, found = random.integers(-1, 2, n), random.random(n) < 0.6
        if (gt == 1).any():
            expected = literal_ap(scores, gt, found, mode)
            got = point_ap(scores, gt, found, mode)
            assert got == pytest.approx(expected, abs=1e-12)
            assert got <= voc_ap(scores, gt, mode) + 1e-12


def test_ap_closed_forms():
    """All found: the classification's AP. None: 0. One of two missed at the top: 1/2 · 1/2."""
    scores, gt = [0.9, 0.8, 0.1], [1, 1, -1]
    assert point_ap(scores, gt, [True, True, False], 'voc10') == voc_ap(scores, gt, 'voc10') == 1
    assert point_ap(scores, gt, [False] * 3, 'voc10') == 0
    assert point_ap(scores, gt, [False, True, False], 'voc10') == 0.25
    assert point_ap(scores, gt, [True, False, False], 'voc10') == 0.5
    assert point_ap(scores, gt, [True, False, False], 'voc07') == pytest.approx(6 / 11)
    assert np.isnan(point_ap(scores, [-1, 0, -1], [True] * 3, 'voc10'))


def test_the_scale_of_the_confidences_does_not_matter():
    """AP and hit rate are the same for any increasing function of the scores."""
    random = np.random.default_rng(1)
    scores, gt, found = random.random(30), random.integers(-1, 2, 30), random.random(30) < 0.5
    assert point_ap(scores, gt, found, 'voc10') == point_ap(np.exp(scores), gt, found, 'voc10')


def test_hit_rate_is_of_positive_images():
    """Negatives and ignored ones do not count."""
    assert hit_rate([1, 1, 0, -1, 1], [True, False, True, True, True]) == pytest.approx(2 / 3)
    assert np.isnan(hit_rate([0, -1], [True, True]))
