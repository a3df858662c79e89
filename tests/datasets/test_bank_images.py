"""One feature per image from a bank: the means that it keeps, or those of its windows."""

import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.registry import init_default_scope

from tcnn_mm.datasets.bank_images import image_features
from tcnn_mm.engine.build_bank import build_bank
from tcnn_mm.registry import DATASETS, MODELS
from tests.support.runs import small_config


@pytest.mark.parametrize('windows', [False, True])
def test_they_are_the_models_whole_features(windows, tmp_path):
    """Of a bank of sampled patches and of one of all windows, in float16; of its chosen ids."""
    init_default_scope('mmpretrain')
    cfg = small_config(tmp_path / 'run', images=3)
    data = ConfigDict(
        type='tcnn_mm.FeatureBank',
        bank=str(tmp_path / 'bank'),
        source=cfg.train_dataloader.dataset,
        windows=windows,
        flips=False,
    )
    build_bank(cfg, data)
    bank = DATASETS.build(data)
    model = MODELS.build(cfg.model)
    model.init_weights()
    source = DATASETS.build(bank.source)
    with torch.no_grad():
        expected = model.eval().whole_features([source[i]['inputs'] for i in range(3)]).numpy()
    found = image_features(bank)
    assert found.shape == expected.shape and found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=2e-3, atol=2e-3)
    (tmp_path / 'ids.txt').write_text(bank.manifest['pictures'][1]['img_id'] + '\n')
    one = DATASETS.build(dict(data, ids=str(tmp_path / 'ids.txt')))
    np.testing.assert_array_equal(image_features(one), found[1:2])
