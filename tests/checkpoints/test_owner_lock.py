"""A lock is held by one process at a time and ends with it, however it ends."""

import os
import signal
import time

import pytest

from tcnn_mm.checkpoints import owner_lock as owner_lock_module
from tcnn_mm.checkpoints.owner_lock import owner_lock
from tcnn_mm.errors import UserError

needs_fork = pytest.mark.skipif(not hasattr(os, 'fork'), reason='forks child processes')


class Busy(Exception):
    """Raised in place of waiting."""


def refuse(owner):
    raise Busy(owner)


def child(work):
    """Start `work` in a process of its own; returns its number when it has written a byte."""
    read, write = os.pipe()
    number = os.fork()
    if number == 0:
        os.close(read)
        try:
            work(lambda: os.write(write, b'1'))
        finally:
            os._exit(0)
    os.close(write)
    assert os.read(read, 1) == b'1'
    os.close(read)
    return number


@needs_fork
def test_the_owner_is_named_and_waited_for(tmp_path):
    """Busy: its process number; when it ends, the one that waits goes on; no file is left."""
    path, order = tmp_path / 'sub' / 'a.lock', tmp_path / 'order'

    def hold(ready):
        with owner_lock(path, refuse):
            ready()
            time.sleep(0.5)
            order.write_text('first')

    number = child(hold)
    with pytest.raises(Busy, match=f'process {number} on '), owner_lock(path, refuse):
        pass
    said = []
    with owner_lock(path, said.append):
        assert order.read_text() == 'first'
    assert len(said) == 1
    os.waitpid(number, 0)
    assert not list(path.parent.iterdir())


@needs_fork
@pytest.mark.parametrize('with_worker', [False, True])
def test_a_killed_owner_holds_nothing(tmp_path, with_worker):
    """kill -9 frees the lock at once, also when a forked worker of the owner lives on."""
    path = tmp_path / 'a.lock'

    def hold(ready):
        with owner_lock(path, refuse):
            if with_worker and os.fork() == 0:
                time.sleep(2)
                os._exit(0)
            ready()
            time.sleep(60)

    number = child(hold)
    os.kill(number, signal.SIGKILL)
    os.waitpid(number, 0)
    assert path.exists()
    with owner_lock(path, refuse):
        pass
    assert not path.exists()


def test_a_lock_is_not_entered_again(tmp_path):
    """Nor by the process itself; an error inside releases it."""
    path = tmp_path / 'a.lock'
    with pytest.raises(ValueError, match='inside'), owner_lock(path, refuse):
        with pytest.raises(Busy, match=f'process {os.getpid()} '), owner_lock(path, refuse):
            pass
        raise ValueError('inside')
    with owner_lock(path, refuse):
        pass


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    """The path and the reason."""
    (tmp_path / 'file').touch()
    where = tmp_path / 'file' / 'a.lock'
    with pytest.raises(UserError, match=r'a.lock: cannot be locked'), owner_lock(where, refuse):
        pass


@pytest.mark.parametrize('opened', [False, True])
def test_where_open_files_cannot_be_removed(tmp_path, monkeypatch, opened):
    """As on Windows: closed first, then removed, unless a process that waits has opened it."""
    path, unlink = tmp_path / 'a.lock', os.unlink

    def remove(name):
        if opened:
            raise PermissionError(13, 'used by another process')
        unlink(name)

    file = os.open(path, os.O_RDWR | os.O_CREAT)
    monkeypatch.setattr(os, 'unlink', remove)
    owner_lock_module._release(file, str(path), removes_open=False)
    with pytest.raises(OSError, match='Bad file'):
        os.fstat(file)
    assert path.exists() == opened
    monkeypatch.undo()
    with owner_lock(path, refuse):
        pass
    assert not path.exists()
