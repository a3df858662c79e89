"""Locks between processes that end with their owner, however it ends."""

import json
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from tcnn_mm.checkpoints.file_lock import lock_file
from tcnn_mm.errors import UserError

AnyPath = str | os.PathLike

# Seconds between two tries; locks are held for minutes.
_PAUSE = 0.2
_held: set[int] = set()


def _close_in_child() -> None:
    """A forked worker that outlives its parent must not hold the parent's lock."""
    while _held:
        os.close(_held.pop())


if hasattr(os, 'register_at_fork'):
    os.register_at_fork(after_in_child=_close_in_child)


def _is_at(file: int, path: str) -> bool:
    """Whether an open file is still the one of this path: its owner removes it at the end."""
    try:
        return os.path.samestat(os.fstat(file), os.stat(path))
    except FileNotFoundError:
        return False


def lock_owner(path: AnyPath) -> str:
    """'process PID on HOST', as a lock file names its owner."""
    try:
        with open(path, encoding='utf-8') as file:
            owner = json.load(file)
        return f'process {owner["pid"]} on {owner["host"]}'
    except (OSError, ValueError, KeyError, TypeError):
        return 'another process'  # that is just writing it, or just removed it


def _acquire(path: str, on_busy: Callable[[str], None]) -> int:
    """Open and lock the file of a path; `on_busy` is called once, with the owner."""
    said = False
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            if lock_file(file):
                if _is_at(file, path):
                    _held.add(file)
                    return file
            elif not said:
                said = True
                on_busy(lock_owner(path))
        except BaseException:
            os.close(file)
            raise
        os.close(file)
        time.sleep(_PAUSE)


def _sign(file: int) -> None:
    """Write process and host into the file of a held lock."""
    os.lseek(file, 0, os.SEEK_SET)
    os.truncate(file, 0)
    os.write(file, json.dumps(dict(pid=os.getpid(), host=socket.gethostname())).encode())


def _release(file: int, path: str, removes_open: bool) -> None:
    """Remove the file of a held lock and free the lock.

    Args:
        removes_open: Whether the system removes a file that is open, as Windows does not: there
            the file of another process that has opened it by now stays, and is its lock.
    """
    if removes_open:
        os.unlink(path)
        os.close(file)
        return
    os.close(file)
    with suppress(PermissionError, FileNotFoundError):
        os.unlink(path)


@contextmanager
def owner_lock(path: AnyPath, on_busy: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock of a path; wait for another owner.

    The system releases it when its owner ends, also by `kill -9`; workers that it forked do not
    hold it. The file, which names process and host, is removed at the end; one that is left by a
    crash is not locked. File systems without locks lock nothing.

    Args:
        path: The lock file; its folder is made.
        on_busy: Called once with the owner, in words, before waiting. It may raise in place of
            waiting.

    Raises:
        UserError: The file cannot be written.
    """
    path = os.path.abspath(os.fspath(path))
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        file = _acquire(path, on_busy)
        _sign(file)
    except OSError as error:
        raise UserError(
            f'{path}: cannot be locked ({error.strerror or error}); use a folder that can be '
            'written'
        ) from error
    try:
        yield
    finally:
        _held.discard(file)
        _release(file, path, removes_open=sys.platform != 'win32')


def remove_unheld(path: AnyPath) -> None:
    """Remove the lock file that a crash left; one that is held, or not ours to remove, stays."""
    path = os.path.abspath(os.fspath(path))
    if not os.path.isfile(path) or not os.access(os.path.dirname(path), os.W_OK):
        return

    def leave(owner: str) -> None:
        raise _Held(owner)

    with suppress(_Held), owner_lock(path, leave):
        pass


class _Held(Exception):
    """The lock has an owner."""
