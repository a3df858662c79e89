"""Intervals of average precisions: exact draws, closed forms, and how often they hold the truth."""

import time
from statistics import NormalDist

import numpy as np
import pytest

from tcnn_mm.evaluation.average_precision import voc_ap
from tcnn_mm.evaluation.intervals import (
    ap_intervals,
    image_draws,
    interval,
    paired_intervals,
    resample,
    resampled_aps,
)


def ranking(num_images, share, separation, seed):
    """Scores and ground truth (N, 1) of one class: two normal distributions."""
    random = np.random.default_rng(seed)
    gt = np.where(random.random(num_images) < share, 1, -1)
    scores = random.normal(size=num_images) + separation * (gt > 0)
    return scores[:, None], gt[:, None]


@pytest.mark.parametrize('mode', ['voc07', 'voc10'])
def test_a_draw_is_the_ap_of_its_images(mode):
    """Each draw equals the AP of the images written out as often as drawn, ties and all."""
    random = np.random.default_rng(0)
    scores = random.integers(0, 5, (30, 2)) / 4
    gt = random.integers(-1, 2, (30, 2))
    draws = image_draws(30, 20, seed=1)
    found = resampled_aps(scores, gt, mode, draws)
    for r, times in enumerate(draws):
        rows = np.repeat(np.arange(30), times)
        for k in range(2):
            expected = voc_ap(scores[rows, k], gt[rows, k], mode)
            np.testing.assert_allclose(found[r, k], expected, rtol=1e-14)


def test_many_classes_take_seconds():
    """1000 images of 200 classes, 1000 draws: 1 s of CPU; one draw at a time, 20 s."""
    gt = np.full((1000, 200), -1)
    np.fill_diagonal(gt, 1)
    scores, draws = np.random.default_rng(0).random(gt.shape), image_draws(1000)
    before = time.process_time()
    found = resampled_aps(scores, gt, 'voc07', draws)
    assert time.process_time() - before < 8
    # Of one positive, a draw has none with probability (1 - 1/N)^N = 0.368.
    assert np.isnan(found).mean() == pytest.approx(0.368, abs=0.01)


def test_every_draw_has_as_many_images():
    """Rows sum to N, another seed is another draw, the same seed the same."""
    draws = image_draws(17, 50, seed=3)
    assert draws.shape == (50, 17) and (draws.sum(1) == 17).all()
    np.testing.assert_array_equal(draws, image_draws(17, 50, seed=3))
    assert (draws != image_draws(17, 50, seed=4)).any()


def test_a_perfect_ranking_has_no_width():
    """Whatever images are drawn, all positives come first: 1 (1 to 1)."""
    gt = np.where(np.arange(40) < 15, 1, -1)[:, None]
    found = ap_intervals(resample(gt.astype(float), gt, 'voc10', draws=200))
    assert found.classes == [(1.0, 1.0, 1.0)] and found.mean == (1.0, 1.0, 1.0)


def test_a_class_without_positives_has_nan_and_is_left_out_of_the_mean():
    """As in voc_ap.json."""
    scores, gt = ranking(60, 0.3, 1.5, seed=0)
    both = ap_intervals(
        resample(np.hstack([scores, scores]), np.hstack([gt, -np.abs(gt)]), 'voc10', 100)
    )
    alone = ap_intervals(resample(scores, gt, 'voc10', 100))
    assert np.isnan(both.classes[1]).all()
    assert both.mean == both.classes[0] == alone.mean


def test_the_bounds_of_a_symmetric_estimate_are_its_quantiles():
    """Where half of the draws lie below the value there is no bias to correct."""
    resampled = np.linspace(-1, 1, 2001)
    np.testing.assert_allclose(interval(0.0, resampled), (0, -0.95, 0.95), atol=1e-9)


def test_a_biased_estimate_is_corrected():
    """Of uniform draws 35 % lie below the value: Φ(2z ∓ 1.96) of them bound it, z = Φ⁻¹(0.35)."""
    normal = NormalDist()
    shares = [normal.cdf(2 * normal.inv_cdf(0.35) + t * normal.inv_cdf(0.975)) for t in (-1, 1)]
    found = interval(-0.3, np.linspace(-1, 1, 2001))
    np.testing.assert_allclose(found[1:], [2 * share - 1 for share in shares], atol=2e-3)
    assert found.high < 0.95 - 0.1  # moved down by much


@pytest.mark.parametrize('mode', ['voc07', 'voc10'])
def test_intervals_hold_the_ap_of_the_population(mode):
    """120 tests of 100 images of one population: at least 88 % of the 95 % intervals hold its AP.

    Not 95: 100 images have ten positives, and the bootstrap is exact only for many.
    """
    scores, gt = ranking(100_000, 0.1, 2.0, seed=5)
    truth, random, held = voc_ap(scores[:, 0], gt[:, 0], mode), np.random.default_rng(6), 0
    for n in range(120):
        rows = random.integers(0, len(gt), 100)
        _, low, high = ap_intervals(resample(scores[rows], gt[rows], mode, draws=200, seed=n)).mean
        held += low <= truth <= high
    assert 0.88 * 120 <= held < 120


def test_equal_scores_differ_by_nothing():
    """The difference of a run and itself is 0 on every draw, and is not beyond chance."""
    scores, gt = ranking(80, 0.2, 1.0, seed=7)
    found = paired_intervals(
        resample(scores, gt, 'voc10', draws=100), resample(3 * scores, gt, 'voc10', draws=100)
    )
    assert found.mean == (0, 0, 0) and not found.mean.excludes_zero


def test_a_difference_is_found_and_its_sign_is_second_minus_first():
    """Better scores of the same images: positive; the other way round: negative, the same size."""
    scores, gt = ranking(200, 0.2, 0.5, seed=8)
    better = scores + 2.0 * (gt > 0)
    up = paired_intervals(
        resample(scores, gt, 'voc10', draws=200), resample(better, gt, 'voc10', draws=200)
    )
    down = paired_intervals(
        resample(better, gt, 'voc10', draws=200), resample(scores, gt, 'voc10', draws=200)
    )
    assert up.mean.low > 0 and up.classes[0].excludes_zero
    assert down.mean.value == -up.mean.value and down.mean.high < 0


def test_pairs_are_narrower_than_their_two_intervals():
    """Two runs that err on the same images: the interval of the difference is the narrower."""
    scores, gt = ranking(200, 0.2, 1.5, seed=9)
    noisy = scores + np.random.default_rng(10).normal(scale=0.2, size=scores.shape)
    single = ap_intervals(resample(scores, gt, 'voc10', draws=200)).mean
    paired = paired_intervals(
        resample(scores, gt, 'voc10', draws=200), resample(noisy, gt, 'voc10', draws=200)
    ).mean
    assert paired.high - paired.low < 0.6 * (single.high - single.low)
