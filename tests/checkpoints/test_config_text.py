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


@pytest.mark.parametrize(
    'text, key',
    [
        ("model = dict(head=dict(type='os.system', command='true'))", 'model.head.type'),
        ("hooks = [dict(type='A'), dict(type='evil.Thing')]", r'hooks\[1\].type'),
        ("a = dict(type='mmengine/../x')", 'a.type'),
        ("a = dict(type=('os', 'system'))", 'a.type'),
        ("a = dict(type='A', _scope_='evil')", 'a._scope_'),
        ("default_scope = ['evil']", 'default_scope'),
        ("runner_type = 'evil.Runner'", 'runner_type'),
        ("custom_imports = dict(imports=['evil'])", 'custom_imports'),
        ("a = dict(type='mmpretrain.TIMMBackbone', model_name='hf-hub:a/b')", 'a.model_name'),
        ("a = dict(type='HuggingFaceClassifier', trust_remote_code=True)", 'a.trust_remote_code'),
    ],
)
def test_a_type_that_is_no_registered_part_is_refused(text, key):
    """mmengine imports such a name; the error is one line and names the key."""
    with pytest.raises(UserError, match=f'a.pth: its config has {key}=.*nothing of it') as refused:
        read_config_text(text, 'a.pth')
    assert len(str(refused.value).splitlines()) == 1


def test_classes_of_pure_python_configs_become_names():
    """Their text holds the path of a class; no module is imported by it."""
    text = """a = dict(type='tcnn_mm.models.heads.adaptation_head.AdaptationHead')
b = dict(type='torch.optim.sgd.SGD')
c = dict(type='mmengine.dataset.sampler.DefaultSampler')
d = dict(type='tcnn_mm.PatchClassifier', _scope_='mmpretrain')
"""
    cfg = read_config_text(text, 'a.pth')
    names = [cfg[key].type for key in 'abcd']
    assert names == [
        'tcnn_mm.AdaptationHead',
        'SGD',
        'mmengine.DefaultSampler',
        'tcnn_mm.PatchClassifier',
    ]


@pytest.mark.parametrize(
    'text', ['a = ' + '[' * 300 + ']' * 300, 'a = ' + '-' * 5000 + '1', 'a = {[]: 1}', 'a = 1\0']
)
def test_text_that_no_parser_takes(text):
    """One line, whatever Python's parser raises."""
    with pytest.raises(UserError, match='a.pth: its config cannot be read as data'):
        read_config_text(text, 'a.pth')
