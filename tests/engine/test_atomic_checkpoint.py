"""No moment of a save loses work: killed or without disk at any write, a run resumes bit-equal."""

import errno
import os
import shutil
import signal

import pytest
import torch
from mmengine.fileio import LocalBackend
from mmengine.hooks import Hook

from tcnn_mm.checkpoints import atomic_write
from tcnn_mm.checkpoints.loading import load_safely
from tcnn_mm.engine.load_config import use_atomic_checkpoints
from tcnn_mm.errors import UserError
from tests.support.runs import assert_same_state
from tests.support.tiny_run import killed, last_state, tiny_config, train_tiny

needs_fork = pytest.mark.skipif(not hasattr(os, 'fork'), reason='kills a child process')


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    """The state after an uninterrupted run."""
    folder = tmp_path_factory.mktemp('whole')
    train_tiny(folder)
    return last_state(folder)


def names(folder):
    """Names of checkpoints and drafts of a work dir."""
    return sorted(p.name for p in folder.iterdir() if '.pth' in p.name or '.tmp' in p.name)


def fault(monkeypatch, where, turn, action):
    """Do `action` at the `turn`-th call of a function that a save goes through.

    `half` writes the first half of the bytes before.
    """
    calls = dict(count=0)
    owners = dict(put=LocalBackend, replace=os, fsync=os, remove=os)
    name, _, half = where.partition('-')
    original = getattr(owners[name], name)

    def replacement(*arguments, **named):
        calls['count'] += 1
        if calls['count'] != turn:
            return original(*arguments, **named)
        if half == 'half':
            backend, content, path = arguments
            original(backend, content[: len(content) // 2], path)
        elif half == 'after':
            original(*arguments, **named)
        action()

    monkeypatch.setattr(owners[name], name, replacement)


# Per epoch: put and fsync of the checkpoint, rename; fsync and rename of last_checkpoint; remove.
MOMENTS = [
    ('put', 1), ('put', 2), ('put-half', 1), ('put-half', 3), ('put-after', 2), ('fsync', 3),
    ('fsync-after', 3), ('replace', 1), ('replace-after', 1), ('replace', 3), ('replace-after', 3),
    ('fsync', 4), ('replace', 4), ('replace-after', 4), ('remove', 1), ('remove-after', 2),
]  # fmt: skip


@needs_fork
@pytest.mark.parametrize('where, turn', MOMENTS)
def test_a_kill_at_any_write(whole, tmp_path, monkeypatch, where, turn):
    """kill -9 at that moment, then resume: as if nothing had happened, and no file is left."""
    with monkeypatch.context() as patch:
        fault(patch, where, turn, lambda: os.kill(os.getpid(), signal.SIGKILL))
        assert killed(lambda: train_tiny(tmp_path))
    train_tiny(tmp_path, resume=True)
    assert_same_state(last_state(tmp_path), whole)
    assert names(tmp_path) == ['epoch_3.pth']


@pytest.mark.parametrize('where, turn', [m for m in MOMENTS if 'remove' not in m[0]])
def test_a_full_disk_at_any_write(whole, tmp_path, monkeypatch, where, turn):
    """ENOSPC at that moment is one error; what was saved before stays; then resume is bit-equal."""

    def full():
        raise OSError(errno.ENOSPC, 'No space left on device')

    with monkeypatch.context() as patch:
        fault(patch, where, turn, full)
        with pytest.raises(UserError, match=r'could not be written \(No space left.*--resume'):
            train_tiny(tmp_path)
    assert not [name for name in names(tmp_path) if '.tmp' in name]
    train_tiny(tmp_path, resume=True)
    assert_same_state(last_state(tmp_path), whole)
    assert names(tmp_path) == ['epoch_3.pth']


@pytest.mark.parametrize('damage', ['empty', 'half', 'a bit', 'nan', 'weights alone', 'text'])
def test_a_damaged_newest_checkpoint_is_skipped_and_named(whole, tmp_path, caplog, damage):
    """Resume takes the newest whole one, and says which one it skipped and why."""
    train_tiny(tmp_path, epochs=2, max_keep_ckpts=2)
    newest = tmp_path / 'epoch_2.pth'
    content = newest.read_bytes()
    if damage == 'a bit':
        number = content.index(load_safely(newest)['state_dict']['layer.weight'].numpy().tobytes())
        newest.write_bytes(content[:number] + b'\1' + content[number + 1 :])
    elif damage in ('nan', 'weights alone'):
        state = load_safely(newest)
        state['state_dict']['layer.weight'][0, 0] = float('nan')
        torch.save(state if damage == 'nan' else dict(state_dict=state['state_dict']), newest)
    else:
        newest.write_bytes(dict(empty=b'', half=content[: len(content) // 2], text=b'no')[damage])
    reason = dict(empty='empty file', nan='NaN or infinity: layer.weight').get(damage, '')
    runner = train_tiny(tmp_path, resume=True)
    log = next(tmp_path.glob(f'{runner.timestamp}/*.log')).read_text()
    assert f'resume: skipped {newest}: ' in log and reason in log
    assert_same_state(last_state(tmp_path), whole)


def test_an_empty_last_checkpoint_hides_nothing(whole, tmp_path):
    """As a kill under mmengine's hook leaves it: the checkpoints are found by their names."""
    train_tiny(tmp_path, epochs=2)
    (tmp_path / 'last_checkpoint').write_text('')
    assert train_tiny(tmp_path, resume=True).epoch == 3
    assert_same_state(last_state(tmp_path), whole)


def test_a_moved_and_a_copied_work_dir_resume_where_they_are(whole, tmp_path):
    """`last_checkpoint` names a path of elsewhere; the best checkpoint elsewhere is not touched."""
    train_tiny(tmp_path / 'a', epochs=2, hooks=(dict(type=Scores, best=(1, 2)),), **BEST)
    shutil.copytree(tmp_path / 'a', tmp_path / 'copy')
    for folder in ('moved', 'copy'):
        if folder == 'moved':
            os.rename(tmp_path / 'a', tmp_path / 'moved')
            (tmp_path / 'a').mkdir()
        train_tiny(
            tmp_path / folder, resume=True, hooks=(dict(type=Scores, best=(1, 2, 3)),), **BEST
        )
        assert_same_state(last_state(tmp_path / folder), whole)
        assert names(tmp_path / folder) == ['best_a_epoch_3.pth', 'epoch_3.pth']
    assert not list((tmp_path / 'a').iterdir())


@pytest.mark.parametrize('metrics', ['a', ['a', 'b']])
def test_the_best_checkpoint_is_replaced_when_the_new_one_is_whole(tmp_path, monkeypatch, metrics):
    """`save_best` keeps the former best until then, of one metric or two."""
    original = LocalBackend.put

    def put(backend, content, path):
        if os.path.basename(path).startswith('best_a_epoch_2'):
            raise OSError(errno.ENOSPC, 'No space left on device')
        original(backend, content, path)

    options = dict(save_best=metrics, rule='greater', hooks=(dict(type=Scores, best=(1, 2, 3)),))
    with monkeypatch.context() as patch:
        patch.setattr(LocalBackend, 'put', put)
        with pytest.raises(UserError, match='best checkpoint could not be written'):
            train_tiny(tmp_path, **options)
    best = [f'best_{metric}_epoch_1.pth' for metric in metrics]
    assert names(tmp_path) == [*best, 'epoch_2.pth']
    assert all(load_safely(tmp_path / name)['state_dict'] for name in best)
    train_tiny(tmp_path, resume=True, **options)
    assert names(tmp_path) == [*(f'best_{m}_epoch_3.pth' for m in metrics), 'epoch_3.pth']


def test_nothing_whole_is_an_error_and_nothing_at_all_a_start(tmp_path):
    """Half files alone are not taken for an empty work dir."""
    assert train_tiny(tmp_path / 'new', resume=True).epoch == 3
    (tmp_path / 'w').mkdir()
    (tmp_path / 'w' / 'epoch_1.pth').write_bytes(b'half')
    with pytest.raises(UserError, match=r'no whole checkpoint to resume from; .*epoch_1.pth: dam'):
        train_tiny(tmp_path / 'w', resume=True)
    with pytest.raises(UserError, match=r'epoch_1.pth: cannot be resumed: .*newest whole'):
        train_tiny(tmp_path / 'w', resume=str(tmp_path / 'w' / 'epoch_1.pth'))


def test_mmengines_hook_is_replaced_in_any_config(tmp_path):
    """`tcnn train` saves safely with a config that names mmengine's hook, or none."""
    cfg = tiny_config(tmp_path)
    cfg.default_hooks = dict(checkpoint=dict(type='CheckpointHook', interval=5))
    use_atomic_checkpoints(cfg)
    assert cfg.default_hooks.checkpoint == dict(type='tcnn_mm.AtomicCheckpointHook', interval=5)
    cfg.pop('default_hooks')
    use_atomic_checkpoints(cfg)
    assert cfg.default_hooks.checkpoint.type == 'tcnn_mm.AtomicCheckpointHook'
    for kept in (None, dict(type='Mine')):
        cfg.default_hooks = dict(checkpoint=kept)
        use_atomic_checkpoints(cfg)
        assert cfg.default_hooks.checkpoint == kept


PUBLISHED = dict(published_keys=['meta', 'state_dict'], save_last=True)


@needs_fork
@pytest.mark.parametrize('where', ['put-half', 'put-after', 'fsync', 'replace', 'replace-after'])
def test_a_published_file_is_whole_or_absent(tmp_path, monkeypatch, where):
    """Killed in the middle of it, no file has the final name; resume writes it; no draft stays."""
    turn = dict(put=4, fsync=7, replace=7)[where.partition('-')[0]]  # after those of three epochs
    with monkeypatch.context() as patch:
        fault(patch, where, turn, lambda: os.kill(os.getpid(), signal.SIGKILL))
        assert killed(lambda: train_tiny(tmp_path, **PUBLISHED))
    published = list(tmp_path.glob('epoch_3-*.pth'))
    assert len(published) == (where == 'replace-after')
    train_tiny(tmp_path, resume=True, **PUBLISHED)
    (path,) = tmp_path.glob('epoch_3-*.pth')
    assert load_safely(path).keys() == {'meta', 'state_dict'}
    assert names(tmp_path) == sorted(['epoch_3.pth', path.name])


def test_a_full_disk_while_publishing_is_one_error(tmp_path, monkeypatch):
    """The checkpoint stays, and the error names the published file."""

    def full():
        raise OSError(errno.ENOSPC, 'No space left on device')

    with monkeypatch.context() as patch:
        fault(patch, 'put-half', 4, full)
        with pytest.raises(UserError, match=r'epoch_3-\w{8}.pth could not be written'):
            train_tiny(tmp_path, **PUBLISHED)
    assert names(tmp_path) == ['epoch_3.pth']


class Scores(Hook):
    """Gives the checkpoint hook metrics as a validation after each epoch does."""

    priority = 'LOWEST'

    def __init__(self, best):
        self.best = best

    def before_train_epoch(self, runner):
        if runner.epoch:
            value = self.best[runner.epoch - 1]
            runner.call_hook('before_val')
            runner.call_hook('after_val_epoch', metrics=dict(a=value, b=value))
            runner.call_hook('after_val')

    after_train = before_train_epoch


BEST = dict(save_best='a', rule='greater')


def test_drafts_of_dead_processes_alone_are_removed(tmp_path):
    """A file that a running process writes, or that is no draft, stays."""
    dead = os.fork() if hasattr(os, 'fork') else 0
    if dead == 0:
        os._exit(0)
    os.waitpid(dead, 0)
    kept = [f'a.pth.{os.getppid()}.tmp', 'notes.tmp', 'a.tmp.pth']
    gone = [f'a.pth.{dead}.tmp', f'b.npz.{dead}.tmp.npz', f'c.{os.getpid()}.tmp']
    for name in kept + gone:
        (tmp_path / name).touch()
    removed = atomic_write.remove_stale_drafts(tmp_path)
    assert sorted(map(os.path.basename, removed)) == sorted(gone)
    assert sorted(os.listdir(tmp_path)) == sorted(kept)
