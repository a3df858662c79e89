"""Probabilities of image scores: known curves are found, order is kept, few images stay finite."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcnn_mm.evaluation.average_precision import voc_ap
from tcnn_mm.evaluation.calibration import (
    Calibration,
    calibrate,
    calibrate_classes,
    class_probabilities,
    log_odds,
    probabilities,
    reliability,
)


def test_the_curve_that_made_the_labels_is_found():
    """Labels drawn from probabilities of known slope and offset, of tiny scores: both come back."""
    random = np.random.default_rng(0)
    scores = random.random(40_000) ** 15  # as means of y^5 are: most below 1e-3
    truth = Calibration(0.3, 2.0)
    labels = np.where(random.random(40_000) < probabilities(scores, truth), 1, -1)
    assert calibrate(scores, labels) == pytest.approx(truth, rel=0.05)


def test_calibrated_probabilities_are_shares():
    """0.8 means four of five: on other images of the population the error is below 2 %."""
    random = np.random.default_rng(1)
    labels = np.where(random.random(6000) < 0.3, 1, -1)
    scores = 1 / (1 + np.exp(10 - 2 * labels - 2 * random.normal(size=6000)))
    found = calibrate(scores[:3000], labels[:3000])
    assert found is not None
    before = reliability(scores[3000:], labels[3000:]).error
    after = reliability(probabilities(scores[3000:], found), labels[3000:]).error
    assert before > 0.25 and after < 0.02


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_order_and_ap_stay(data):
    """Probabilities rise with the scores, so no image passes another."""
    n = data.draw(st.integers(4, 40))
    random = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    labels = random.integers(-1, 2, n)
    scores = random.random(n) ** data.draw(st.sampled_from([1, 5, 20])) * 0.9
    found = calibrate(scores, labels)
    if found is None:
        return
    p = probabilities(scores, found)
    assert ((p >= 0) & (p <= 1)).all()
    assert (np.diff(p[np.argsort(scores)]) >= 0).all()
    z = found.slope * log_odds(scores) + found.offset  # without the rounding of 1 - tiny
    assert voc_ap(z, labels, 'voc10') == voc_ap(scores, labels, 'voc10')


def test_few_images_that_are_separated_stay_finite():
    """Two positives above five negatives: a finite curve that is unsure, by Platt's targets."""
    scores, labels = np.array([0.9, 0.8, 0.1, 0.1, 0.05, 0.02, 0.01]), [1, 1, -1, -1, -1, -1, -1]
    found = calibrate(scores, labels)
    assert found is not None and np.isfinite(found).all()
    p = probabilities(scores, found)
    assert 0.6 < p[:2].min() <= p[:2].max() < 0.95 and p[2:].max() < 0.3


@pytest.mark.parametrize(
    'scores, labels',
    [
        ([0.1, 0.9], [1, 1]),
        ([0.1, 0.9], [-1, -1]),
        ([0.1, 0.9, 0.5], [0, 0, 1]),
        ([0.5, 0.5, 0.5], [1, -1, -1]),
        ([0.1, 0.2, 0.8, 0.9], [1, 1, -1, -1]),
        ([], []),
    ],
)
def test_where_nothing_can_be_told_there_is_none(scores, labels):
    """One kind of label, equal scores, or scores that fall with the labels."""
    assert calibrate(np.array(scores), np.array(labels, int)) is None


def test_scores_of_0_and_1_are_finite():
    """float32 votes saturate: their log-odds are finite and still the extremes."""
    odds = log_odds([0.0, 1e-38, 0.5, 1 - 2.0**-24, 1.0])
    assert np.isfinite(odds).all() and (np.diff(odds) > 0).all() and odds[2] == 0


def test_reliability_by_hand():
    """Bins of 0.5: [0.2, 0.4] with one positive of two, [0.9] positive; a difficult one is out."""
    found = reliability([0.2, 0.4, 0.9, 0.7], [-1, 1, 1, 0], bins=2)
    np.testing.assert_allclose(found.predicted, [0.3, 0.9])
    np.testing.assert_allclose(found.observed, [0.5, 1.0])
    assert found.counts.tolist() == [2, 1]
    assert found.error == pytest.approx((2 * 0.2 + 0.1) / 3)
    assert reliability([1.0, 0.0], [1, -1]).error == 0  # the last bin holds 1 itself


def test_classes_are_calibrated_one_by_one():
    """A class without a curve has nan, not the score of another."""
    random = np.random.default_rng(2)
    labels = np.stack([np.where(np.arange(50) < 20, 1, -1), np.full(50, -1)], 1)
    scores = random.random((50, 2)) / 2 + (labels > 0) / 2
    found = calibrate_classes(scores, labels)
    assert found[0] == calibrate(scores[:, 0], labels[:, 0]) and found[1] is None
    p = class_probabilities(scores, found)
    assert np.isnan(p[:, 1]).all() and np.isfinite(p[:, 0]).all()
