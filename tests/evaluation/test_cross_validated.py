"""Intervals of cross-validated AP, and probabilities by the other folds."""

import numpy as np
import pytest

from tcnn_mm.evaluation.calibration import calibrate, cross_fitted_probabilities, probabilities
from tcnn_mm.evaluation.cross_validated import cross_validated_intervals
from tcnn_mm.evaluation.intervals import ap_intervals, resample


@pytest.fixture
def scored():
    """Scores (2, 60, 3) of two divisions into folds, labels (60, 3)."""
    random = np.random.default_rng(0)
    gt = np.where(random.random((60, 3)) < (0.2, 0.4, 0.6), 1, -1)
    return random.random((2, 60, 3)) * 0.5 + (gt > 0) * 0.3, gt


def test_one_division_is_a_test(scored):
    """Without repeats the intervals are those of any test."""
    scores, gt = scored
    found = cross_validated_intervals(scores[:1], gt, 'voc10', draws=100)
    assert found == ap_intervals(resample(scores[0], gt, 'voc10', 100))


def test_repeats_are_averaged(scored):
    """The AP is the mean over divisions; the interval is no wider than that of the wider one."""
    scores, gt = scored
    alone = [cross_validated_intervals(each[None], gt, 'voc10', draws=300) for each in scores]
    both = cross_validated_intervals(scores, gt, 'voc10', draws=300)
    assert both.mean.value == pytest.approx(np.mean([each.mean.value for each in alone]))
    assert both.mean.high - both.mean.low < max(each.mean.high - each.mean.low for each in alone)


def test_each_probability_is_by_the_other_folds(scored):
    """As by hand; nan where the other folds show no positive."""
    scores, gt = scored[0][0], scored[1]
    folds = np.arange(60) % 3
    gt[folds != 1, 2] = -1
    found = cross_fitted_probabilities(scores, gt, folds)
    others = folds != 2
    curve = calibrate(scores[others, 0], gt[others, 0])
    np.testing.assert_array_equal(found[~others, 0], probabilities(scores[~others, 0], curve))
    assert np.isnan(found[folds == 1, 2]).all() and not np.isnan(found[folds == 0, 2]).any()
