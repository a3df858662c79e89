"""Checkpoints are read as data; code in them needs an explicit word."""

import os

import numpy as np
import pytest
import torch
from mmengine.logging.history_buffer import HistoryBuffer
from mmengine.runner.checkpoint import CheckpointLoader, load_checkpoint

from tcnn_mm.checkpoints.loading import install_safe_loader, load_safely, model_state
from tcnn_mm.errors import UserError


class Bomb:
    """Would run a command when unpickled."""

    def __reduce__(self):
        return os.mkdir, (os.environ['BOMB_FOLDER'],)


@pytest.fixture
def bomb(tmp_path, monkeypatch):
    monkeypatch.setenv('BOMB_FOLDER', str(tmp_path / 'exploded'))
    torch.save(dict(state_dict={}, extra=Bomb()), tmp_path / 'bomb.pth')
    return tmp_path


def test_mmengines_own_metadata_loads(tmp_path):
    """History buffers and numpy scalars of a stock checkpoint pass without full pickle."""
    log = HistoryBuffer()
    log.update(np.float64(1.5), 2)
    content = dict(
        meta=dict(epoch=3, seed=1),
        message_hub=dict(log_scalars=dict(loss=log)),
        state_dict=dict(w=torch.ones(2)),
        best=np.float32(0.5),
        count=np.int64(3),
    )
    torch.save(content, tmp_path / 'a.pth')
    loaded = load_safely(tmp_path / 'a.pth')
    assert loaded['message_hub']['log_scalars']['loss'].mean() == 0.75
    assert loaded['best'] == 0.5 and torch.equal(loaded['state_dict']['w'], torch.ones(2))


def test_code_in_a_checkpoint_does_not_run(bomb):
    """A file that holds more than data is refused, with the flag that would allow it."""
    with pytest.raises(UserError, match='--trust-checkpoint'):
        load_safely(bomb / 'bomb.pth')
    assert not (bomb / 'exploded').exists()


def test_trust_is_explicit(bomb):
    """trust=True unpickles everything."""
    load_safely(bomb / 'bomb.pth', trust=True)
    assert (bomb / 'exploded').exists()


def test_mmengines_loaders_become_safe(bomb):
    """After install_safe_loader, load_from and resume refuse code too."""
    before = dict(CheckpointLoader._schemes)
    try:
        install_safe_loader()
        with pytest.raises(UserError):
            load_checkpoint(torch.nn.Linear(1, 1), str(bomb / 'bomb.pth'))
        assert not (bomb / 'exploded').exists()
    finally:
        CheckpointLoader._schemes.clear()
        CheckpointLoader._schemes.update(before)


def test_missing_and_damaged_files(tmp_path):
    """Missing: three lines with the place and the variable. Damaged: one line with the file."""
    with pytest.raises(UserError) as missing:
        load_safely(tmp_path / 'x.pth')
    lines = str(missing.value).splitlines()
    assert len(lines) == 3 and str(tmp_path / 'x.pth') in lines[1] and 'TCNN_WEIGHTS' in lines[2]
    torch.save(dict(w=torch.randn(1000)), tmp_path / 'cut.pth')
    data = (tmp_path / 'cut.pth').read_bytes()
    (tmp_path / 'cut.pth').write_bytes(data[: len(data) // 2])
    with pytest.raises(UserError, match='cut.pth: damaged'):
        load_safely(tmp_path / 'cut.pth')


def test_state_dicts_in_any_wrapping():
    """mmengine's, torch's and DDP's forms give the same bare names."""
    bare = dict(a=1)
    for form in (bare, dict(state_dict=bare), dict(model=bare), {'module.a': 1}):
        assert model_state(form) == bare


def test_offline_nothing_is_fetched(tmp_path, monkeypatch):
    """TCNN_OFFLINE=1: a URL is read from torch.hub's folder, or an error names where to put it."""
    monkeypatch.setenv('TCNN_OFFLINE', '1')
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path))
    with pytest.raises(UserError, match=f'TCNN_OFFLINE.*{tmp_path}/checkpoints/x.pth'):
        load_safely('https://example.org/x.pth')
    (tmp_path / 'checkpoints').mkdir()
    torch.save(dict(w=1), tmp_path / 'checkpoints' / 'x.pth')
    assert load_safely('https://example.org/x.pth') == dict(w=1)
    with pytest.raises(UserError, match='torchvision has no weights of this name'):
        load_safely('torchvision://nothing')
