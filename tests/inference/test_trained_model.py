"""The config of a checkpoint is data: predict, export and thresholds run nothing of it."""

import os

import pytest
import torch

from tcnn_mm.checkpoints.loading import load_safely
from tcnn_mm.checkpoints.writing import write_checkpoint
from tcnn_mm.errors import UserError
from tcnn_mm.inference.trained_model import load_trained_model
from tests.support.commands import run
from tests.support.small_checkpoint import write_small_checkpoint


@pytest.fixture(scope='module')
def content(tmp_path_factory):
    """A checkpoint's content."""
    path = tmp_path_factory.mktemp('good') / 'a.pth'
    write_small_checkpoint(path)
    return load_safely(path)


def with_config(content, path, old, new):
    """Write a checkpoint whose config has other text."""
    cfg = content['meta']['cfg']
    assert old in cfg
    meta = dict(content['meta'], cfg=cfg.replace(old, new))
    write_checkpoint(str(path), dict(meta=meta, state_dict=content['state_dict']))
    return str(path)


GRID = "type='tcnn_mm.PatchGrid'"
HOSTILE = {
    'os.mkdir': (GRID, "type='os.mkdir', path='ran'"),
    'module': (GRID, "type='evil.Thing'"),
    'scope': (GRID, "type='tcnn_mm.PatchGrid', _scope_='evil'"),
    'unregistered': (GRID, "type='tcnn_mm.main'"),
    'bare': (GRID, "type='antigravity'"),
    'value': ('num_classes=3', "num_classes='3'"),
    'huge': ('num_classes=3', 'num_classes=1000000000000000'),
}


@pytest.mark.parametrize('name', HOSTILE)
@pytest.mark.parametrize('suffix', ['.pth', '.safetensors'])
def test_a_hostile_config_is_refused(name, suffix, content, tmp_path, monkeypatch):
    """One line; no function is called and no module imported."""
    (tmp_path / 'evil').mkdir()
    for module in ('__init__', 'registry'):
        (tmp_path / 'evil' / f'{module}.py').write_text("import os; os.mkdir('ran')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    file = with_config(content, tmp_path / f'a{suffix}', *HOSTILE[name])
    with pytest.raises(UserError, match=f'a{suffix}: ') as refused:
        load_trained_model(file, device='cpu')
    assert len(str(refused.value).splitlines()) == 1
    assert not os.path.exists('ran')


@pytest.mark.parametrize('command', ['predict', 'export'])
def test_commands_refuse_it(command, content, tmp_path):
    """The error names the key; status 1."""
    file = with_config(content, tmp_path / 'a.pth', GRID, "type='os.mkdir', path='ran'")
    words = ['x.png', '--checkpoint', file] if command == 'predict' else [file]
    (tmp_path / 'x.png').write_bytes(b'')
    out = ['--out', 'o' if command == 'predict' else 'o.onnx']
    done = run('tcnn', command, *words, *out, cwd=tmp_path)
    assert done.returncode == 1 and 'model.sampler.grid.type=' in done.stderr, done.stderr
    assert not (tmp_path / 'ran').exists()


@pytest.mark.parametrize('meta', [[1], dict(cfg=3, tcnn_mm={}), dict(tcnn_mm=[1], cfg='')])
def test_other_meta_is_refused(meta, tmp_path):
    """Metadata of another kind are one line."""
    torch.save(dict(meta=meta, state_dict={}), tmp_path / 'a.pth')
    with pytest.raises(UserError, match='a.pth: '):
        load_trained_model(tmp_path / 'a.pth')
