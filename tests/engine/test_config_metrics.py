"""Metrics whose results have the same names are refused before the test, not after it."""

import pytest
from mmengine.config import Config

from tcnn_mm.engine.config_metrics import check_prefixes
from tcnn_mm.engine.load_config import load_config
from tcnn_mm.errors import UserError


def test_an_option_that_makes_two_metrics_one(tmp_path, monkeypatch):
    """The key that the error names helps."""
    monkeypatch.chdir(tmp_path)
    option = 'test_evaluator.0.mode=voc07'
    with pytest.raises(UserError, match=r'test_evaluator.1: .*voc07/… .*test_evaluator.0') as error:
        load_config('tcnn_minivoc', cfg_options=[option])
    advice = str(error.value).rpartition(' ')[2].replace('NAME', 'second')
    assert load_config('tcnn_minivoc', cfg_options=[option, advice]).test_evaluator[1].prefix


@pytest.mark.parametrize(
    'metrics',
    [None, dict(type='tcnn_mm.VOCDevkitAP'), [dict(type='mmpretrain.Accuracy')] * 2, [],
     [dict(type='tcnn_mm.VOCDevkitAP', mode='voc07'), dict(type='tcnn_mm.VOCDevkitAP')],
     [dict(type='tcnn_mm.VOCDevkitAP', prefix='a'), dict(type='tcnn_mm.PointLocalization')]],
)  # fmt: skip
def test_others_pass(metrics):
    """Different modes or prefixes, one metric, none, those of mmpretrain."""
    check_prefixes(Config(dict(val_evaluator=metrics, test_evaluator=metrics)))
