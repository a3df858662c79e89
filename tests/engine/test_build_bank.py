"""A bank is complete or absent: killed at any write, on a full disk, by two builders, with NaN."""

import errno
import os
import signal
import threading
import time

import numpy as np
import pytest
import torch
from PIL import Image

from tcnn_mm.engine import bank_files, build_bank
from tcnn_mm.errors import UserError
from tcnn_mm.models.encoder.patch_encoder import PatchEncoder
from tests.support.small_bank import bank_config, write_data
from tests.support.time_limit import LONGEST
from tests.support.tiny_run import killed

needs_fork = pytest.mark.skipif(not hasattr(os, 'fork'), reason='kills a child process')
OWNERS = dict(
    replace=os,
    remove=os,
    makedirs=os,
    allocate=(bank_files, 'allocate'),
    savez=np,
    flush=np.memmap,
    float16=(build_bank, '_float16'),
)


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    """Records of a few images, and the files of a bank of them that nothing disturbed."""
    folder = tmp_path_factory.mktemp('data')
    records = write_data(folder / 'data')
    make(records, folder / 'bank')
    return records, content(folder / 'bank')


def make(records, folder, **changes):
    """Make a bank of the records."""
    cfg, bank = bank_config(records, folder)
    cfg.merge_from_dict(changes)
    build_bank.build_bank(cfg, bank)


def content(folder):
    """Name → bytes, of rows the arrays: a zip archive has times."""
    found = {path.name: path.read_bytes() for path in folder.iterdir()}
    with np.load(folder / 'rows.npz') as rows:
        found['rows.npz'] = {key: rows[key].tolist() for key in rows}
    return found


def assert_alone(folder, expected):
    """The bank is there bit for bit, and nothing else."""
    assert content(folder) == expected
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def fault(monkeypatch, where, turn, action):
    """Do `action` at the `turn`-th call of a function, before it or `-after` it."""
    name, _, after = where.partition('-')
    owner = OWNERS[name]
    owner, attribute = owner if isinstance(owner, tuple) else (owner, name)
    original, calls = getattr(owner, attribute), []

    def replacement(*arguments, **named):
        calls.append(1)
        if len(calls) != turn:
            return original(*arguments, **named)
        if not after:
            action()
        result = original(*arguments, **named)
        if after:
            action()
        return result

    monkeypatch.setattr(owner, attribute, replacement)


# Two batches of images, each in two turns of flips and with the features of whole images.
MOMENTS = [
    ('makedirs-after', 1), ('makedirs-after', 2), ('savez', 1), ('savez-after', 1),
    ('allocate', 1), ('allocate-after', 1), ('allocate', 2), ('allocate-after', 3),
    ('replace', 1), ('replace-after', 1), ('float16', 1), ('float16', 2), ('float16-after', 3),
    ('flush', 1), ('flush-after', 1), ('flush-after', 2), ('float16', 5), ('flush', 3),
    ('flush-after', 4), ('replace', 2), ('replace-after', 2), ('remove', 1), ('remove-after', 1),
    ('replace', 3), ('replace-after', 3), ('remove', 2), ('remove-after', 2),
]  # fmt: skip


@needs_fork
@pytest.mark.parametrize('where, turn', MOMENTS)
def test_a_kill_at_any_write(data, tmp_path, monkeypatch, where, turn):
    """kill -9 at that moment: the bank is absent or complete; the same command ends bit-equal."""
    folder = tmp_path / 'bank'
    with monkeypatch.context() as patch:
        fault(patch, where, turn, lambda: os.kill(os.getpid(), signal.SIGKILL))
        assert killed(lambda: make(data[0], folder))
    if folder.exists():
        found = content(folder)
        for name in ('done.u8', 'checksums.u4'):
            found.pop(name, None)
        assert found == data[1]
    make(data[0], folder)
    assert_alone(folder, data[1])


@needs_fork
@pytest.mark.slow
@pytest.mark.parametrize('moment', range(20))
def test_a_kill_at_any_time(data, tmp_path, moment):
    """kill -9 after any time, not at a write alone."""
    start = time.perf_counter()
    make(data[0], tmp_path / 'whole' / 'bank')
    seconds = time.perf_counter() - start
    child = os.fork()
    if child == 0:
        try:
            make(data[0], tmp_path / 'killed' / 'bank')
        finally:
            os._exit(0)
    ended = threading.Timer((moment + 0.5) / 20 * seconds, os.kill, (child, signal.SIGKILL))
    ended.start()
    os.waitpid(child, 0)
    ended.cancel()
    make(data[0], tmp_path / 'killed' / 'bank')
    assert_alone(tmp_path / 'killed' / 'bank', data[1])


def two_processes(records, folder, store):
    """Start two processes that make a bank together; returns their numbers."""
    children = []
    for rank in range(2):
        child = os.fork()
        if child == 0:
            signal.alarm(LONGEST)  # one that hangs fails its test
            status = 1
            try:
                torch.distributed.init_process_group(
                    'gloo', init_method=f'file://{store}', rank=rank, world_size=2
                )
                make(records, folder)
                torch.distributed.destroy_process_group()
                status = 0
            finally:
                os._exit(status)
        children.append(child)
    return children


@needs_fork
@pytest.mark.slow
@pytest.mark.parametrize('moment', range(10))
def test_a_kill_of_two_processes(data, tmp_path, moment):
    """kill -9 of both after any time; two new ones end with the bank of two undisturbed ones."""
    start = time.perf_counter()
    undisturbed = two_processes(data[0], tmp_path / 'whole' / 'bank', tmp_path / 'store0')
    assert [os.waitpid(child, 0)[1] for child in undisturbed] == [0, 0]
    seconds = time.perf_counter() - start
    victims = two_processes(data[0], tmp_path / 'killed' / 'bank', tmp_path / 'store1')
    time.sleep((moment + 0.5) / 10 * seconds)
    for child in victims:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    again = two_processes(data[0], tmp_path / 'killed' / 'bank', tmp_path / 'store2')
    assert [os.waitpid(child, 0)[1] for child in again] == [0, 0]
    assert_alone(tmp_path / 'killed' / 'bank', content(tmp_path / 'whole' / 'bank'))


@pytest.mark.parametrize('turn', [1, 2, 3])
def test_a_full_disk_is_one_line(data, tmp_path, monkeypatch, turn):
    """No space for a file: an error before anything is computed, nothing is left."""

    def full(*_):
        raise OSError(errno.ENOSPC, 'No space left on device')

    with monkeypatch.context() as patch:
        fault(patch, 'allocate', turn, full)
        with pytest.raises(UserError, match=r'cannot be written \(No space left on device\); make'):
            make(data[0], tmp_path / 'bank')
    assert not list(tmp_path.iterdir())
    make(data[0], tmp_path / 'bank')
    assert_alone(tmp_path / 'bank', data[1])


@pytest.mark.parametrize('reserve', [True, False])
def test_files_have_no_holes(tmp_path, monkeypatch, reserve):
    """Their blocks are on disk before they are mapped: a full disk is no SIGBUS."""
    if not reserve:
        monkeypatch.delattr(os, 'posix_fallocate', raising=False)
    path, size = tmp_path / 'a', 9_000_000
    path.write_bytes(b'kept')
    bank_files.allocate(str(path), size)
    assert path.stat().st_size == size and path.read_bytes()[:5] == b'kept\0'
    if hasattr(os.stat_result, 'st_blocks'):
        assert path.stat().st_blocks * 512 >= size


def test_a_second_builder_waits(data, tmp_path, monkeypatch):
    """Two commands for one bank: one computes, the other takes what the first one made."""
    started, computed, said = threading.Event(), [], []
    original = build_bank.fill

    def slow(*arguments):
        computed.append(1)
        started.set()
        time.sleep(1)
        original(*arguments)

    monkeypatch.setattr(build_bank, 'fill', slow)
    monkeypatch.setattr(bank_files, 'print_log', lambda text, logger: said.append(text))
    first = threading.Thread(target=make, args=(data[0], tmp_path / 'bank'))
    first.start()
    started.wait(60)
    make(data[0], tmp_path / 'bank')
    first.join()
    assert len(computed) == 1
    assert any(f'process {os.getpid()} on ' in line and 'waiting' in line for line in said)
    assert_alone(tmp_path / 'bank', data[1])


def test_a_second_recipe_never_takes_a_draft(data, tmp_path, monkeypatch):
    """Two commands of two recipes for one bank: the first is made whole, the second refused."""
    started, original = threading.Event(), build_bank.fill

    def slow(*arguments):
        started.set()
        time.sleep(1)
        original(*arguments)

    monkeypatch.setattr(build_bank, 'fill', slow)
    first = threading.Thread(target=make, args=(data[0], tmp_path / 'bank'))
    first.start()
    started.wait(60)
    with pytest.raises(UserError, match=r'another recipe: network.dtype'):
        make(data[0], tmp_path / 'bank', **{'model.frozen_dtype': 'bfloat16'})
    first.join()
    assert_alone(tmp_path / 'bank', data[1])


def test_several_processes_do_not_wait(data, tmp_path, monkeypatch):
    """Their connection would time out: one line says who makes the bank."""
    monkeypatch.setattr(bank_files, 'get_world_size', lambda: 2)
    busy = pytest.raises(UserError, match=rf'bank: process {os.getpid()} on .* start again when')
    with bank_files.sole_builder(str(tmp_path / 'bank')), busy:
        make(data[0], tmp_path / 'bank')
    assert not list(tmp_path.iterdir())


@pytest.fixture
def draft(data, tmp_path, monkeypatch):
    """A function that leaves a half-made bank."""

    def leave(turn=2, **changes):
        with monkeypatch.context() as patch:

            def stop():
                raise KeyboardInterrupt

            fault(patch, 'float16', turn, stop)
            with pytest.raises(KeyboardInterrupt):
                make(data[0], tmp_path / 'bank', **changes)
        assert [path.name for path in tmp_path.iterdir()] == ['bank.part']
        return tmp_path / 'bank.part'

    return leave


@pytest.mark.parametrize('damage', ['recipe', 'no done', 'half', 'no manifest', 'manifest', 'rows'])
def test_a_draft_of_another_kind_is_begun_anew(data, draft, tmp_path, damage):
    """Of another recipe, without the list of what is done, damaged: the bank is the right one."""
    part = draft(4, **({'model.frozen_dtype': 'bfloat16'} if damage == 'recipe' else {}))
    if damage == 'no done':
        (part / 'done.u8').unlink()
    elif damage == 'half':
        os.truncate(part / 'features.f16', 1000)
    elif damage == 'no manifest':
        (part / 'manifest.json').unlink()
    elif damage in ('manifest', 'rows'):
        path = part / dict(manifest='manifest.json', rows='rows.npz')[damage]
        os.truncate(path, path.stat().st_size // 2)
    make(data[0], tmp_path / 'bank')
    assert_alone(tmp_path / 'bank', data[1])


def test_an_image_replaced_meanwhile_is_computed_again(tmp_path, monkeypatch):
    """While a bank is made, or before it is continued: never features of a former file."""
    records = write_data(tmp_path / 'data')

    def replace(number, value):
        Image.new('RGB', (80, 64), (value, 0, 0)).save(tmp_path / f'data/image_{number}.png')

    with monkeypatch.context() as patch:
        fault(patch, 'flush', 3, lambda: replace(0, 9))
        with pytest.raises(UserError, match=r'1 image \(image_0\) were replaced while the bank'):
            make(records, tmp_path / 'a' / 'bank')
    replace(1, 99)
    make(records, tmp_path / 'a' / 'bank')
    make(records, tmp_path / 'b' / 'bank')
    assert_alone(tmp_path / 'a' / 'bank', content(tmp_path / 'b' / 'bank'))


@pytest.mark.parametrize('value', [np.nan, np.inf])
@pytest.mark.parametrize('of', ['patches', 'whole images'])
def test_nan_features_stop_with_the_ids(data, tmp_path, monkeypatch, of, value):
    """They are in no bank, and the images before them stay done."""
    original, whole = PatchEncoder.iter_features, PatchEncoder.whole_features

    def iter_features(self, images, boxes, flips=None, on_patches=None):
        for b, index, part in original(self, images, boxes, flips, on_patches):
            if len(images) == 1:  # the last batch
                part = part.clone()
                part[0, 5] = value
            yield b, index, part

    with monkeypatch.context() as patch:
        if of == 'patches':
            patch.setattr(PatchEncoder, 'iter_features', iter_features)
        else:

            def whole_features(self, images, boxes):
                found = whole(self, images, boxes).clone()
                found[:, 5] += value if len(images) == 1 else 0
                return found

            patch.setattr(PatchEncoder, 'whole_features', whole_features)
        with pytest.raises(UserError, match=r'NaN or infinity for 1 image \(image_4\)'):
            make(data[0], tmp_path / 'bank')
    done = np.fromfile(tmp_path / 'bank.part' / 'done.u8', np.uint8)
    assert done.tolist() == [1, 1, 1, 1, 0]
    make(data[0], tmp_path / 'bank')
    assert_alone(tmp_path / 'bank', data[1])


def test_a_folder_of_other_files_is_refused_at_once(data, tmp_path, monkeypatch):
    """Not after hours, when the bank is to take its place."""
    (tmp_path / 'bank').mkdir()
    (tmp_path / 'bank' / 'mine.txt').touch()
    monkeypatch.setattr(build_bank, 'fill', None)
    with pytest.raises(UserError, match='bank: no feature bank, and not empty'):
        make(data[0], tmp_path / 'bank')
    assert [path.name for path in tmp_path.iterdir()] == ['bank']
