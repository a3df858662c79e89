"""`--amp`: what it changes in a config, with and without a GPU."""

import pytest
import torch
from mmengine.config import ConfigDict

from tcnn_mm.engine.mixed_precision import use_amp
from tcnn_mm.errors import UserError


def config(kind):
    return ConfigDict(model=dict(type=kind), optim_wrapper=dict(optimizer=dict(type='SGD')))


@pytest.mark.parametrize('gpu', [False, True])
@pytest.mark.parametrize('kind', ['tcnn_mm.PatchClassifier', 'tcnn_mm.WeakPatchClassifier'])
def test_amp_casts_the_frozen_layers(monkeypatch, kind, gpu):
    """bfloat16 below the first trainable layer; the toolbox's wrapper on a GPU alone."""
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: gpu)
    cfg = config(kind)
    use_amp(cfg)
    assert cfg.model.frozen_dtype == 'bfloat16'
    assert (cfg.optim_wrapper.get('type') == 'AmpOptimWrapper') == gpu


def test_amp_leaves_the_toolboxs_own_models_alone(monkeypatch):
    """A source task's plain ImageClassifier knows no frozen_dtype: the wrapper is all it gets."""
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    cfg = config('mmpretrain.ImageClassifier')
    use_amp(cfg)
    assert 'frozen_dtype' not in cfg.model and cfg.optim_wrapper.type == 'AmpOptimWrapper'


def test_amp_of_the_toolboxs_own_models_needs_a_gpu(monkeypatch):
    """Without one: a line that says so, not a TypeError of the model."""
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    with pytest.raises(UserError, match='ImageClassifier needs a GPU'):
        use_amp(config('mmpretrain.ImageClassifier'))
