"""A checkpoint's config is read, not run."""

import glob
import math
import os.path as osp

import pytest
from mmengine.config import Config

from tcnn_mm.checkpoints.config_text import read_config_text
from tcnn_mm.errors import UserError

# The text that checkpoints hold is formatted.
pytestmark = pytest.mark.usefixtures('formatted_configs')
CONFIGS = osp.join(osp.dirname(osp.dirname(osp.dirname(osp.abspath(__file__)))), 'configs')


@pytest.mark.parametrize('name', ['tcnn_minivoc', 'tcnn_voc07_weak', 'tcnn_voc12_action'])
def test_our_configs_come_back_as_mmengine_reads_them(name):
    """Every value of the text that a checkpoint holds."""
    cfg = Config.fromfile(osp.join(CONFIGS, f'{name}.py'))
    assert read_config_text(cfg.pretty_text, 'a.pth').to_dict() == cfg.to_dict()


@pytest.mark.slow
def test_every_config_comes_back():
    """As above, all of them."""
    for path in glob.glob(osp.join(CONFIGS, '**', '*.py'), recursive=True):
        if '_base_' not in path:
            cfg = Config.fromfile(path)
            assert read_config_text(cfg.pretty_text, path).to_dict() == cfg.to_dict(), path


def test_odd_values():
    """Keys that are no names, negative and infinite numbers, empty containers."""
    values = dict(a={'x y': -1.5, 3: None}, b=(), c=[math.inf, -math.inf], d=dict(), e=(True, 'é'))
    assert read_config_text(Config(values).pretty_text, 'a.pth').to_dict() == values


@pytest.mark.parametrize(
    'code', ['import os', "a = __import__('os')", 'a = dict(b=open("x"))', 'a = b', 'a = [1][0]']
)
def test_code_is_refused_with_its_line(code):
    """Nothing is run; the error names the file and the line."""
    with pytest.raises(UserError, match='a.pth: its config cannot .*line 2 holds code'):
        read_config_text(f'x = 1\n{code}\n', 'a.pth')
