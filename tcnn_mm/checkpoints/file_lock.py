"""Let one process at a time write a file."""

import errno
import os
from typing import IO, Any

# Of file systems without locks.
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS)


def lock_file(file: IO[Any] | int) -> bool:
    """Lock an open file, or its descriptor, until it is closed or the process ends, by whatever.

    Windows and file systems without locks lock nothing.

    Returns:
        False if another process, or another open file of this one, has the lock.
    """
    if os.name == 'nt':
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
    return True
