"""Folders that cannot be written, for root too: as a user finds a copy on a shared disk."""

import ctypes
import os
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tcnn_mm.errors import UserError
from tests.support.time_limit import LONGEST

# Of linux/capability.h: the third version of the call takes two records of three numbers.
_VERSION = 0x20080522


@contextmanager
def read_only(*folders: Path) -> Iterator[None]:
    """Take the permission to write from folders and all that is in them, and give it back."""
    paths = [path for folder in folders for path in (folder, *folder.rglob('*'))]
    paths = [path for path in paths if not path.is_symlink()]
    for path in paths:
        path.chmod(path.stat().st_mode & ~0o222)
    try:
        yield
    finally:
        for path in paths:
            path.chmod(path.stat().st_mode | 0o200)


def drop_privileges() -> None:
    """Let permissions hold for root too: give up its capabilities, in this process for good."""
    if os.geteuid():
        return
    header, data = (ctypes.c_uint32 * 2)(_VERSION, 0), (ctypes.c_uint32 * 6)()
    if ctypes.CDLL(None, use_errno=True).capset(header, data):
        raise OSError(ctypes.get_errno(), 'capset')


def as_a_user(work: Callable[[], object]) -> str | None:
    """Do `work` in a process of its own that permissions hold for.

    Returns:
        The message of the UserError that it raised; None where it ended well. Other errors fail.
    """
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(LONGEST)
        status = 1
        try:
            drop_privileges()
            work()
            status = 0
        except UserError as error:
            os.write(write, str(error).encode())
            status = 2
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(write)
    with os.fdopen(read, 'rb') as pipe:
        message = pipe.read().decode()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, 2), status
    return message if status else None
