"""Intervals of cross-validated AP, and probabilities by the other folds."""

import numpy as np
import pytest

from tcnn_mm.evaluation.average_precision import voc_ap
from tcnn_mm.evaluation.calibration import calibrate, cross_fitted_probabilities, probabilities
from tcnn_mm.evaluation.cross_validated import (
    cross_validated_intervals,
    mean_interval,
    share_interval,
)
from tcnn_mm.evaluation.intervals import Interval


@pytest.fixture
def scored():
    """Scores (2, 60, 3) of two divisions into folds, labels (60, 3)."""
    random = np.random.default_rng(0)
    gt = np.where(random.random((60, 3)) < (0.2, 0.4, 0.6), 1, -1)
    return random.random((2, 60, 3)) * 0.5 + (gt > 0) * 0.3, gt


def test_the_interval_of_a_class_is_that_of_a_share(scored):
    """Wilson's, as statsmodels and R give it: 9 of 10 is 0.596 to 0.982, 10 of 10 0.722 to 1."""
    assert share_interval(0.9, 10)[1:] == pytest.approx((0.5958, 0.9821), abs=1e-4)
    assert share_interval(1.0, 10)[1:] == pytest.approx((0.7225, 1.0), abs=1e-4)
    assert share_interval(0.0, 2)[1:] == pytest.approx((0.0, 0.6576), abs=1e-4)
    scores, gt = scored
    found = cross_validated_intervals(scores[:1], gt, 'voc10')
    for k, each in enumerate(found.classes):
        ap = voc_ap(scores[0, :, k], gt[:, k], 'voc10')
        assert each == share_interval(ap, int((gt[:, k] > 0).sum()))


def test_the_mean_is_of_independent_classes():
    """Distances add as squares: of four equal classes the mean is known twice as well."""
    one = Interval(0.8, 0.6, 0.9)
    assert mean_interval([one]) == pytest.approx(one)
    assert mean_interval([one] * 4) == pytest.approx((0.8, 0.7, 0.85))
    unknown = Interval(float('nan'), float('nan'), float('nan'))
    assert mean_interval([one, unknown]) == pytest.approx(one)
    assert np.isnan(mean_interval([unknown])).all()
    assert np.isnan(share_interval(float('nan'), 0)).all()


def test_repeats_are_averaged(scored):
    """The AP is the mean over divisions; a class without positives has none."""
    scores, gt = scored
    gt[:, 2] = -1
    alone = [cross_validated_intervals(each[None], gt, 'voc10') for each in scores]
    both = cross_validated_intervals(scores, gt, 'voc10')
    assert both.mean.value == pytest.approx(np.mean([each.mean.value for each in alone]))
    assert both.mean.low < both.mean.value < both.mean.high and np.isnan(both.classes[2].value)


def covered(random, positives, negatives, shift):
    """Whether the interval of a sample of normal scores holds the AP of 20 000 others."""

    def sample(count):
        gt = np.repeat([1, -1], (positives * count, negatives * count))
        return random.normal(size=len(gt)) + shift * (gt > 0), gt

    scores, gt = sample(1)
    many, truth = sample(20_000 // (positives + negatives))
    found = cross_validated_intervals(scores[None, :, None], gt[:, None], 'voc10').classes[0]
    return found.low <= voc_ap(many, truth, 'voc10') <= found.high


@pytest.mark.parametrize('positives, negatives, shift', [(4, 46, 2), (10, 40, 3), (20, 30, 1)])
def test_at_least_nine_of_ten_intervals_cover(positives, negatives, shift):
    """Of 100 samples of few images, the AP of the same scores on many."""
    random = np.random.default_rng(0)
    assert sum(covered(random, positives, negatives, shift) for _ in range(100)) >= 90


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
