"""Aggregators against a loop of a few lines."""

import numpy as np
import pytest
import torch

from tcnn_mm.registry import MODELS

SCORES = torch.rand(37, 4, generator=torch.Generator().manual_seed(0))


def build(**cfg):
    return MODELS.build(cfg)


@pytest.mark.parametrize('k', [1, 2.5, 5, 20])
def test_power_mean_equals_a_loop(k):
    """mean over patches of y^k."""
    expected = [sum(float(y) ** k for y in SCORES[:, c]) / 37 for c in range(4)]
    got = build(type='tcnn_mm.PowerMeanAggregator', k=k)(SCORES)
    np.testing.assert_allclose(got, expected, rtol=1e-5)


def test_mean_and_max():
    """k = 1 is the mean; the largest patch score is the max."""
    assert torch.allclose(build(type='tcnn_mm.MeanAggregator')(SCORES), SCORES.mean(0))
    assert torch.equal(build(type='tcnn_mm.MaxAggregator')(SCORES), SCORES.max(0).values)


def test_log_sum_exp_lies_between_mean_and_max():
    """Small r is the mean, large r the max."""
    low = build(type='tcnn_mm.LogSumExpAggregator', r=1e-3)(SCORES)
    high = build(type='tcnn_mm.LogSumExpAggregator', r=1e5)(SCORES)
    torch.testing.assert_close(low, SCORES.mean(0), atol=1e-3, rtol=0)
    torch.testing.assert_close(high, SCORES.max(0).values, atol=1e-3, rtol=0)


def test_half_precision_scores_are_raised_in_float32():
    """0.01^5 is 0 in float16: the power is taken in float32."""
    got = build(type='tcnn_mm.PowerMeanAggregator')(torch.full((3, 1), 0.01).half())
    assert got.dtype == torch.float32 and got > 0


@pytest.mark.parametrize(
    'cfg',
    [
        dict(type='tcnn_mm.PowerMeanAggregator', k=0.5),
        dict(type='tcnn_mm.LogSumExpAggregator', r=0),
    ],
)
def test_bad_settings(cfg):
    """k < 1 and r ≤ 0 are refused."""
    with pytest.raises(ValueError):
        build(**cfg)
