"""A sweep's figures are those of voting directly; the choice is the best mean's first."""

import numpy as np
import pytest
from mmengine.registry import MODELS

from tcnn_mm.evaluation.average_precision import voc_ap
from tcnn_mm.evaluation.vote_sweep import best_of, candidates, image_scores, sweep


def make_pass(n=20, classes=3):
    random = np.random.default_rng(0)
    sizes = random.integers(1, 9, n)
    scores = random.random((sizes.sum(), classes)).astype(np.float32)
    return scores, sizes, random.integers(-1, 2, (n, classes))


def vote(name, patches):
    """The formulas of the paper and of its rivals, in plain numpy."""
    patches = patches.astype(np.float64)
    if name == 'max':
        return patches.max(0)
    if name.startswith('lse'):
        r = float(name.split('=')[1])
        return np.log(np.exp(r * patches).mean(0)) / r
    return (patches ** int(name[2:])).mean(0)


def test_the_sweep_equals_direct_aggregation():
    """Every way of voting, every class: the AP of scores that are voted image by image."""
    scores, sizes, labels = make_pass()
    configs = candidates()
    assert set(configs) == {
        *(f'k={k}' for k in range(1, 21)), 'max', *(f'lse r={r}' for r in (1, 2, 5, 10, 20, 50)),
    }  # fmt: skip
    ways = {name: MODELS.build(config) for name, config in configs.items()}
    result = sweep(scores, sizes, labels, ways, 'voc10', [0, 2])
    images = np.split(scores, sizes.cumsum()[:-1])
    for name, (mean, aps) in result.items():
        voted = np.stack([vote(name, mine) for mine in images])
        np.testing.assert_allclose(image_scores(scores, sizes, ways[name]), voted, rtol=1e-5)
        expected = [voc_ap(voted[:, k], labels[:, k], 'voc10') for k in range(3)]
        assert aps == pytest.approx(expected) and mean == pytest.approx(aps[[0, 2]].mean())


def test_the_choice():
    """The best mean; of equals the first, which is the smaller k."""
    assert best_of({'k=1': (0.5, 0), 'k=2': (0.7, 0), 'k=3': (0.7, 0), 'max': (0.6, 0)}) == 'k=2'
