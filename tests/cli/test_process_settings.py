"""What a command sets for its process: memory, imports and compiled layers are kept."""

import ctypes
import gc
import os
import subprocess
import sys

import pytest
import torch

from tcnn_mm.cli import process_settings

CODE = """
import resource, sys
import torch
from tcnn_mm.cli.process_settings import keep_freed_memory
if sys.argv[1] == 'keep':
    assert keep_freed_memory()
for _ in range(5):
    torch.zeros(40_000_000)
pages = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt
counts = []
for _ in range(5):
    before = pages()
    torch.zeros(40_000_000)
    counts.append(pages() - before)
print(min(counts))  # the system may take back pages that it finds unused
"""


def faults(what):
    """Pages that a tensor of 160 MB costs after five others, at the least."""
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
    assert not process_settings.keep_freed_memory()
    monkeypatch.delenv('MALLOC_TRIM_THRESHOLD_')
    monkeypatch.setattr(process_settings.ctypes, 'CDLL', lambda name: object())
    assert not process_settings.keep_freed_memory()
    assert ctypes.CDLL is not None


def test_imported_objects_are_not_searched_again():
    """No collection within; afterwards what was made there is passed over, and others are not."""
    code = """
import gc
from tcnn_mm.cli.process_settings import importing
runs = []
gc.callbacks.append(lambda phase, info: runs.append(phase))
with importing():
    kept = [[] for _ in range(100_000)]
assert not runs and gc.isenabled() and gc.get_freeze_count() > 100_000
later = [[] for _ in range(100_000)]
assert runs and len(gc.get_objects()) < 150_000
"""
    subprocess.run([sys.executable, '-c', code], check=True)


def test_garbage_collection_stays_off_where_it_was(monkeypatch):
    """Also after an import that fails."""
    frozen = []
    monkeypatch.delitem(sys.modules, 'torch', raising=False)
    monkeypatch.setattr(process_settings.gc, 'freeze', lambda: frozen.append(True))
    gc.disable()
    try:
        with pytest.raises(ImportError), process_settings.importing():
            raise ImportError
        assert not gc.isenabled() and frozen
    finally:
        gc.enable()


def test_nothing_is_kept_where_torch_was_imported_before(monkeypatch):
    """A program that calls the command as a function keeps its own objects' collection."""
    monkeypatch.setitem(sys.modules, 'torch', sys)
    monkeypatch.setattr(process_settings.gc, 'freeze', lambda: pytest.fail('frozen'))
    with process_settings.importing():
        assert gc.isenabled()


COMPILED = """
import sys, torch
from tcnn_mm.cli.process_settings import keep_kernels
if sys.argv[1] == 'keep':
    keep_kernels()
torch.set_num_threads(1)
weight = torch.zeros(8, 8, 3, 3)
net = lambda x: torch.ops.mkldnn._convolution_pointwise(
    x, weight, None, [0, 0], [1, 1], [1, 1], 1, 'relu', [], ''
)
shapes = [torch.zeros(1, 8, 4, 4 + i) for i in range(1100)]
with torch.no_grad():
    for x in shapes:
        net(x)
    with torch.backends.mkldnn.verbose(torch.backends.mkldnn.VERBOSE_ON_CREATION):
        for x in shapes[:20]:
            net(x)
"""


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason='torch has no oneDNN here')
def test_layers_of_many_sizes_are_compiled_once(monkeypatch):
    """After 1,100 sizes the first ones: compiled anew without the setting, not with it."""
    monkeypatch.delenv(process_settings.KERNELS[0], raising=False)

    def compiled(what):
        command = [sys.executable, '-c', COMPILED, what]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert 'create' in said
        return sum('cache_miss' in line and 'convolution' in line for line in said.splitlines())

    assert (compiled('leave'), compiled('keep')) == (20, 0)


def test_a_number_of_the_user_is_left(monkeypatch):
    """The environment variable that is set stays; else commands set it."""
    name, ours = process_settings.KERNELS
    monkeypatch.setenv(name, '7')
    process_settings.keep_kernels()
    assert os.environ[name] == '7'
    monkeypatch.delenv(name)
    process_settings.keep_kernels()
    assert os.environ[name] == ours
