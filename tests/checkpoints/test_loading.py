"""Checkpoints are read as data; code in them needs an explicit word."""

import concurrent.futures
import os
import pickle

import numpy as np
import pytest
import torch
from mmengine.logging.history_buffer import HistoryBuffer
from mmengine.runner.checkpoint import CheckpointLoader, load_checkpoint

from tcnn_mm.checkpoints import loading
from tcnn_mm.checkpoints.loading import (
    install_safe_loader,
    install_safe_loader_once,
    load_safely,
    model_state,
)
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


@pytest.mark.parametrize('install', [install_safe_loader, install_safe_loader_once])
@pytest.mark.parametrize('name', ['{}/bomb.pth', 'http://host/bomb.pth', 'https://host/bomb.pth'])
def test_mmengines_loaders_become_safe(install, name, bomb, monkeypatch):
    """After install_safe_loader, load_from and resume refuse code too, of files and of URLs."""
    monkeypatch.setattr(loading, 'download', lambda url, folder: str(bomb / 'bomb.pth'))
    before = dict(CheckpointLoader._schemes)
    try:
        install()
        with pytest.raises(UserError, match='not a weights-only file'):
            load_checkpoint(torch.nn.Linear(1, 1), name.format(bomb))
        assert not (bomb / 'exploded').exists()
    finally:
        CheckpointLoader._schemes.clear()
        CheckpointLoader._schemes.update(before)


def test_a_loader_of_ones_own_stays(bomb):
    """install_safe_loader_once replaces mmengine's alone, not one that trusts on purpose."""
    before = dict(CheckpointLoader._schemes)
    try:
        install_safe_loader(trust=True)
        install_safe_loader_once()
        load_checkpoint_content(bomb / 'bomb.pth')
        assert (bomb / 'exploded').exists()
    finally:
        CheckpointLoader._schemes.clear()
        CheckpointLoader._schemes.update(before)


class Call:
    """Unpickles as a call, then takes a state."""

    def __init__(self, function, *args, state=None):
        self.parts = function, args, state

    def __reduce__(self):
        return self.parts


RECONSTRUCT, SCALAR = np.arange(2).__reduce__()[0], np.float64(1).__reduce__()[0]
POINTERS = b'A' * 16
OBJECTS = Call(np.dtype, 'O8', False, True, state=(3, '|', None, None, None, -1, -1, 63))
FLAGS = Call(np.dtype, 'f8', False, True, state=(3, '<', None, None, None, -1, -1, 63))


def array(dtype, data, shape=(2,)):
    """An array as a pickle says it."""
    return Call(RECONSTRUCT, np.ndarray, (0,), b'b', state=(1, shape, dtype, False, data))


HOSTILE = dict(
    objects=np.array([dict(), None], dtype=object),
    pointers=array(OBJECTS, POINTERS),
    flags=array(FLAGS, POINTERS),
    ndarray=Call(np.ndarray, (2,), 'O', POINTERS),
    scalar=Call(SCALAR, OBJECTS, POINTERS[:8]),
    record=np.zeros(2, dtype=[('a', 'O')]),
    short=array(np.dtype('f8'), POINTERS[:8]),
    negative=array(np.dtype('f8'), b'', (-1,)),
    huge=array(np.dtype('f8'), POINTERS, (2**62, 4)),
    dates=np.array(['2020'], dtype='datetime64[D]'),
)


@pytest.mark.parametrize('name', HOSTILE)
def test_only_arrays_of_numbers_pass(name, tmp_path):
    """Objects, or addresses and sizes taken from the file, are refused in one line."""
    torch.save(dict(state_dict={}, extra=HOSTILE[name]), tmp_path / 'a.pth')
    with pytest.raises(UserError, match='a.pth: (not a weights-only file|damaged)') as refused:
        load_safely(tmp_path / 'a.pth')
    assert len(str(refused.value).splitlines()) == 1


def test_arrays_of_numbers_come_back(tmp_path):
    """Values and dtypes, of any byte and memory order; saved again they are numpy's own."""
    arrays = [
        np.arange(6.0).reshape(2, 3).T,
        np.array([1, 2], '>i4'),
        np.array([True]),
        np.array(3 + 2j),
        np.zeros((0, 3), 'f2'),
        np.array(['é', 'ab']),
        np.float32(0.5),
        np.str_('é'),
        np.bool_(True),
    ]
    torch.save(dict(a=arrays), tmp_path / 'a.pth')
    loaded = load_safely(tmp_path / 'a.pth')['a']
    again = pickle.loads(pickle.dumps(loaded))
    for found in (loaded, again):
        for left, right in zip(arrays, found, strict=True):
            assert np.array_equal(left, right)
            # numpy's own reading makes them native.
            assert left.dtype.newbyteorder('=') == right.dtype and isinstance(right, type(left))
    assert all(type(left) is type(right) for left, right in zip(arrays, again, strict=True))


def test_threads_load_at_a_time(tmp_path):
    """8 threads × 100 loads: none fails, and none takes torch's list of types away."""
    log = HistoryBuffer([1.0], [1])
    torch.save(dict(log=log, best=np.float64(2.0), w=torch.ones(1)), tmp_path / 'a.pth')
    before = set(torch.serialization.get_safe_globals())

    def load(_):
        return [load_safely(tmp_path / 'a.pth')['best'] for _ in range(100)]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        results = list(pool.map(load, range(8)))
    assert results == [[2.0] * 100] * 8
    assert set(torch.serialization.get_safe_globals()) == before


def test_a_torchscript_program_is_refused(tmp_path):
    """torch.load would read it as code."""
    torch.jit.script(torch.nn.Linear(1, 1)).save(tmp_path / 'a.pth')
    with pytest.raises(UserError, match='TorchScript'):
        load_safely(tmp_path / 'a.pth')


@pytest.mark.parametrize('content', [[1], 3, None, torch.ones(2), 'text'])
def test_a_file_that_is_no_dict_is_refused(content, tmp_path):
    """One line, whatever it holds."""
    torch.save(content, tmp_path / 'a.pth')
    with pytest.raises(UserError, match='a.pth: holds a .*, expected a dict of weights'):
        load_safely(tmp_path / 'a.pth')


def test_mmengine_gets_no_text_that_it_would_run(tmp_path):
    """mmengine's `resume` runs meta['config'] of mmcv's files: our loader leaves it out."""
    torch.save(dict(meta=dict(epoch=1, config='raise SystemExit'), state_dict={}), tmp_path / 'a')
    before = dict(CheckpointLoader._schemes)
    try:
        for trust in (False, True):
            install_safe_loader(trust)
            assert load_checkpoint_content(tmp_path / 'a')['meta'] == dict(epoch=1)
    finally:
        CheckpointLoader._schemes.clear()
        CheckpointLoader._schemes.update(before)


def load_checkpoint_content(path):
    """The content of a file by mmengine's loader."""
    return CheckpointLoader.load_checkpoint(str(path), map_location='cpu')


def test_missing_and_damaged_files(tmp_path):
    """Missing: three lines with the place and the variable. Damaged: one line with the file."""
    with pytest.raises(UserError) as missing:
        load_safely(tmp_path / 'x.pth')
    lines = str(missing.value).splitlines()
    assert len(lines) == 2 and str(tmp_path / 'x.pth') in lines[1]
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
