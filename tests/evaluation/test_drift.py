"""Whether images as a whole differ from the training images: false alarms, power, words."""

import math

import numpy as np
import pytest

from tcnn_mm.evaluation.drift import FEWEST_IMAGES, SURE, drift, drift_lines


def ranks(values, reference):
    """Share of the reference below each value, as `unfamiliar` gives it."""
    return np.searchsorted(np.sort(reference), values, side='left') / len(reference)


def smirnov(n, k):
    """P(D+ >= k / n) for two samples of n values each: C(2n, n + k) / C(2n, n)."""
    return math.comb(2 * n, n + k) / math.comb(2 * n, n)


@pytest.mark.parametrize(('n', 'k'), [(20, 10), (50, 15), (100, 22)])
def test_the_probability_is_the_closed_form(n, k):
    """Of two samples of n, with a difference of exactly k: all values are k places further."""
    values = np.minimum(np.arange(n) + k, n) / n
    found = drift(values, n)
    assert found.distance == pytest.approx(k / n)
    assert found.p == pytest.approx(smirnov(n, k))


@pytest.mark.parametrize(('images', 'reference'), [(20, 25), (60, 60), (500, 50), (40, 500)])
def test_false_alarms_are_as_rare_as_said(images, reference):
    """Images of the same distribution, also many against few: 1 %, by 600 simulations."""
    random = np.random.default_rng(0)
    alarms = [
        drift(ranks(random.normal(size=images), random.normal(size=reference)), reference).p < SURE
        for _ in range(600)
    ]
    assert np.mean(alarms) <= 0.02
    assert any(alarms)


def test_a_shift_is_found_and_more_likely_with_more_images():
    """Values of images further away; nearer ones are no drift, in any order."""
    random = np.random.default_rng(1)
    reference = random.normal(size=200)
    far, near = (ranks(random.normal(at, 1, 80), reference) for at in (1, -1))
    assert drift(far, 200).p < 1e-6 and drift(near, 200).p > 0.9
    assert drift(far[::-1], 200) == drift(far, 200)
    assert drift(far[:30], 200).p > drift(far, 200).p


def test_few_images_are_not_compared():
    """Below 20 only those that look unlike are counted; of none nothing is said."""
    values = [1.0] * (FEWEST_IMAGES - 1)
    assert drift(values, 50) is None
    (line,) = drift_lines(values, 50)
    assert line.startswith('19 of 19 images look unlike the training images (unfamiliar 0.95 or')
    assert drift_lines([], 50) == []


def test_the_words():
    """One line of both answers, with the probability."""
    alike, unlike = np.arange(40) / 40, np.full(40, 0.9)
    assert drift_lines(alike, 40)[1].startswith(
        'drift: as a whole these images do not differ from the training images (Kolmogorov–'
    )
    text = drift_lines(unlike, 40)
    assert text[0].startswith('0 of 40') and 'differ from' in text[1] and 'p < 0.0001' in text[1]
