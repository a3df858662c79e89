"""Freed memory stays with the process: passes of a network cost no new pages."""

import ctypes
import subprocess
import sys

import pytest

from tcnn_mm.cli import allocator

CODE = """
import resource, sys
import torch
from tcnn_mm.cli.allocator import keep_freed_memory
if sys.argv[1] == 'keep':
    assert keep_freed_memory()
for _ in range(5):
    torch.zeros(40_000_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    torch.zeros(40_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(what):
    """Pages that five tensors of 160 MB cost after five others."""
    done = subprocess.run(
        [sys.executable, '-c', CODE, what], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


@pytest.mark.skipif(not sys.platform.startswith('linux'), reason='mallopt is of glibc')
def test_freed_memory_is_used_again(monkeypatch):
    """A tenth of the pages, at most."""
    monkeypatch.delenv('MALLOC_ARENA_MAX', raising=False)
    assert faults('keep') * 10 < faults('leave')


def test_settings_of_the_user_are_left(monkeypatch):
    """An environment variable of malloc: nothing is set; another C library: neither."""
    monkeypatch.setenv('MALLOC_TRIM_THRESHOLD_', '1000000')
    assert not allocator.keep_freed_memory()
    monkeypatch.delenv('MALLOC_TRIM_THRESHOLD_')
    monkeypatch.setattr(allocator.ctypes, 'CDLL', lambda name: object())
    assert not allocator.keep_freed_memory()
    assert ctypes.CDLL is not None
