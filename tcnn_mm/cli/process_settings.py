"""Settings of the process of a command: memory, imports and compiled layers are kept."""

import ctypes
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# Names and numbers of glibc's malloc.h.
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
LARGEST = 2**31 - 1
# Of oneDNN, in layers of one size. Sides of maps are multiples of the stride: photographs of one
# collection give about 100 sizes on five scales, of 50 layers each; 60 of them take 0.4 GB.
KERNELS = 'ONEDNN_PRIMITIVE_CACHE_CAPACITY', '4096'


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


@contextmanager
def importing() -> Iterator[None]:
    """Import within, without garbage collection, which passes over what was imported ever after.

    torch and the toolbox are 850,000 objects that live as long as the process: searching them
    takes a fifth of the time of their import, and 0.3 s at each full collection later, of which
    mmengine asks for one per data set. For commands alone, as above; where torch was imported
    before, nothing is changed.
    """
    if 'torch' in sys.modules:
        yield
        return
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()


def keep_kernels() -> None:
    """Have oneDNN keep the layers that it compiled for maps of more sizes than it does by itself.

    It compiles a convolution for each size of its input, which takes as long as running it several
    times, and keeps 1,024: fewer than dense mode asks for. For processes that have not run one yet
    and those that they start; a number that the user has set is left.
    """
    os.environ.setdefault(*KERNELS)
