"""What a process holds: memory, handles, threads, children, shared memory, temporary files."""

import gc
import os
import tempfile
from typing import NamedTuple

import psutil

MB = 2**20
SHARED = '/dev/shm'


class Usage(NamedTuple):
    """One row of the table of a soak.

    Attributes:
        seconds (float): Since the start.
        cycle (int): Cycles that are done.
        rss_mb (float): Resident memory of the process.
        handles (int): Open file descriptors; handles on Windows.
        threads (int): Of the process.
        children (int): Processes below it.
        shared_mb (float): Mappings and files of this process in shared memory.
        temporary_files (int): Entries of the folder of temporary files.
        objects (int): That Python's garbage collection follows.
        images (int): Predicted since the start, broken ones too.
    """

    seconds: float
    cycle: int
    rss_mb: float
    handles: int
    threads: int
    children: int
    shared_mb: float
    temporary_files: int
    objects: int
    images: int


def shared_bytes(process: psutil.Process) -> int:
    """Bytes of shared memory that a process maps, or that are in files of torch with its number.

    Without /dev/shm (macOS, Windows) 0.
    """
    if not os.path.isdir(SHARED):
        return 0
    total = sum(m.size for m in process.memory_maps(False) if m.path.startswith(SHARED))
    for entry in os.scandir(SHARED):
        if entry.name.startswith(f'torch_{process.pid}_'):
            total += entry.stat().st_size
    return total


def measure_usage(seconds: float, cycle: int, images: int) -> Usage:
    """Measure this process after a garbage collection; `tempfile.gettempdir()` must be its own."""
    gc.collect()
    process = psutil.Process()
    handles = process.num_fds() if hasattr(process, 'num_fds') else process.num_handles()
    return Usage(
        round(seconds, 1),
        cycle,
        round(process.memory_info().rss / MB, 2),
        handles,
        process.num_threads(),
        len(process.children(recursive=True)),
        round(shared_bytes(process) / MB, 2),
        len(os.listdir(tempfile.gettempdir())),
        len(gc.get_objects()),
        images,
    )
