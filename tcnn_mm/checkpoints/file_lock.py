"""Let one process at a time write a file."""

import errno
import os
import sys
from collections.abc import Callable
from typing import IO, Any

if sys.platform == 'win32':
    import msvcrt
else:
    import fcntl

# Of file systems without locks.
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS)
# The byte that Windows locks: others can neither read nor write it, so it lies behind the content;
# its position must fit 31 bits.
_BYTE = (1 << 31) - 2


def lock_file(file: IO[Any] | int) -> bool:
    """Lock an open file, or its descriptor, until it is closed or the process ends, by whatever.

    File systems without locks lock nothing.

    Returns:
        False if another process, or another open file of this one, has the lock.
    """
    number = file if isinstance(file, int) else file.fileno()
    if sys.platform == 'win32':
        return lock_byte(number, lambda: msvcrt.locking(number, msvcrt.LK_NBLCK, 1))
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
    return True


def lock_byte(number: int, lock: Callable[[], None]) -> bool:
    """Lock one byte of an open file where its position is, as Windows does it.

    Args:
        number: Descriptor; its position is as before at the end.
        lock: `msvcrt.locking` of one byte. A lock that is held is an EACCES, or, where Windows
            gives up after ten tries, an EDEADLOCK.

    Returns:
        False if it is locked.
    """
    before = os.lseek(number, 0, os.SEEK_CUR)
    os.lseek(number, _BYTE, os.SEEK_SET)
    try:
        lock()
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EDEADLK):
            raise
        return False
    finally:
        os.lseek(number, before, os.SEEK_SET)
    return True
