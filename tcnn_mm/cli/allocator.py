"""Keep freed memory in the process: a pass of a network frees and asks for the same again."""

import ctypes
import os
import sys

# Names and numbers of glibc's malloc.h.
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
LARGEST = 2**31 - 1


def keep_freed_memory() -> bool:
    """Have glibc reuse freed memory instead of returning it to the system; True where it does.

    Otherwise each large feature map is new memory, which the system clears page by page: up to a
    third of a pass in bfloat16. For commands alone: it holds for the whole process until its end.
    Settings by environment variables (MALLOC_…) are left as they are.
    """
    if sys.platform != 'linux' or any(name.startswith('MALLOC_') for name in os.environ):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library
        return False
    return bool(mallopt(M_TRIM_THRESHOLD, LARGEST) and mallopt(M_MMAP_MAX, 0))
