"""The baselines: scikit-learn's own regression in other coordinates, and the method's head."""

import numpy as np
import pytest
from mmengine.config import ConfigDict
from mmengine.registry import init_default_scope
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from tcnn_mm.analysis.baselines import (
    adaptation_head,
    fit_logistic,
    logistic_regression,
)
from tcnn_mm.analysis.image_features import largest_window_features
from tcnn_mm.engine.build_bank import build_bank
from tcnn_mm.errors import UserError
from tcnn_mm.inference.build_model import build_model
from tcnn_mm.registry import DATASETS
from tests.support.runs import small_config


def make_data(n=60, width=5, seed=0):
    random = np.random.default_rng(seed)
    labels = random.integers(-1, 2, (n, 3))
    labels[:, 2] = -1
    features = random.normal(2, 3, (n, width)).astype(np.float32)
    features[:, 0] += 4 * labels[:, 0]
    return features, labels


def test_weights_for_raw_features_give_scikit_learns_decisions():
    """Standardising is folded into the weights; images of difficult objects are left out."""
    train, labels = make_data()
    test, _ = make_data(seed=1)
    weights, bias = fit_logistic(train, labels)
    known = labels[:, 0] != 0
    scaler = StandardScaler().fit(train.astype(float))
    model = LogisticRegression(C=0.01, max_iter=1000)
    model.fit(scaler.transform(train.astype(float))[known], labels[known, 0])
    expected = model.decision_function(scaler.transform(test.astype(float)))
    np.testing.assert_allclose((test @ weights + bias)[:, 0], expected, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(
        logistic_regression(train, labels, test)[:, 0], expected, rtol=1e-6, atol=1e-6
    )


def test_a_class_without_positives_scores_nothing():
    """No regression can be fitted: zeros, not an error."""
    train, labels = make_data()
    weights, bias = fit_logistic(train, labels)
    assert not weights[:, 2].any() and bias[2] == 0


def test_the_head_learns_and_is_a_function_of_its_seed():
    """K outputs without background; the same seed the same scores; it ranks what is easy."""
    train, labels = make_data()
    cfg = dict(type='tcnn_mm.AdaptationHead', num_classes=3, in_channels=5, hidden_channels=16)
    first, again, other = (
        adaptation_head(train, labels, train, cfg, seed, steps=60, batch=20) for seed in (0, 0, 1)
    )
    assert first.shape == (60, 3)
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert first[labels[:, 0] > 0, 0].mean() > first[labels[:, 0] < 0, 0].mean() + 1


def test_banks_know_the_whole_images(tmp_path):
    """Sampled patches' bank, all windows' bank and the network itself give the same features."""
    init_default_scope('mmpretrain')
    cfg = small_config(tmp_path, images=3)
    source = cfg.train_dataloader.dataset
    model = build_model(cfg)
    online = largest_window_features(model, DATASETS.build(source))
    assert online['features'].shape == (3, 256) and online['ids'][0] == 'train_0000'
    for name, options in (('all', dict(test_mode=True)), ('some', dict(flips=False))):
        bank = ConfigDict(
            type='tcnn_mm.FeatureBank', bank=str(tmp_path / name), source=source, **options
        )
        build_bank(cfg, bank)
        stored = largest_window_features(model, DATASETS.build(dict(bank, context=True)))
        np.testing.assert_allclose(stored['features'], online['features'], rtol=2e-3, atol=2e-3)
        assert np.array_equal(stored['labels'], online['labels'])
        assert np.array_equal(stored['ids'], online['ids'])


def test_whole_images_need_a_frozen_backbone(tmp_path):
    """Features below a trained layer are not what the head takes."""
    init_default_scope('mmpretrain')
    model = build_model(small_config(tmp_path, **{'model.frozen': ['C1', 'C2']}))
    with pytest.raises(UserError, match='frozen backbone; C3 trains'):
        largest_window_features(model, [])
