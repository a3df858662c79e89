"""Feature banks of earlier versions are accepted: their recipes are those of the present code."""

import json
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import DATASETS, MODELS, DefaultScope

from tcnn_mm.datasets.bank_reading import recipe_differences
from tcnn_mm.engine.bank_recipe import bank_recipe

FROZEN = Path(__file__).parent.parent / 'data' / 'frozen' / '9bfe804'


@pytest.mark.parametrize('split', ['train', 'test'])
def test_the_recipe_of_a_bank_stays(split, tmp_path, monkeypatch):
    """Every entry of `manifest.json`'s recipe, of sampled patches and of whole grids."""
    monkeypatch.setenv('TCNN_CACHE', str(tmp_path))
    cfg = Config.fromstring((FROZEN / 'configs' / 'tcnn_minivoc_bank.txt').read_text(), '.py')
    stored = json.loads((FROZEN / 'bank_recipes' / f'{split}.json').read_text())
    bank = cfg[f'{split}_dataloader'].dataset
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        model = MODELS.build(cfg.model)
        recipe = bank_recipe(model, DATASETS.build(bank.source), bank, cfg.model)
    assert recipe_differences(stored, recipe) == []
