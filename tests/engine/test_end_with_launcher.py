"""Processes of a launcher end with it, however it ends."""

import os
import select
import signal
import time

import pytest

from tcnn_mm.engine import end_with_launcher as module
from tests.support.time_limit import LONGEST

needs_fork = pytest.mark.skipif(not hasattr(os, 'fork'), reason='kills a child process')


def worker_of_a_launcher():
    """Start a process that starts one which watches it.

    Returns:
        Number of the launcher; the end of a pipe that is closed when its worker has ended. The
        worker's first byte says that it watches.
    """
    read, write = os.pipe()
    launcher = os.fork()
    if launcher == 0:
        signal.alarm(LONGEST)
        if os.fork() == 0:
            signal.alarm(LONGEST)
            module.end_with_parent(interval=0.02)
            os.write(write, b'w')
            time.sleep(30)
            os._exit(0)
        os.close(write)
        time.sleep(30)
        os._exit(0)
    os.close(write)
    return launcher, read


@needs_fork
@pytest.mark.parametrize('how', [signal.SIGKILL, signal.SIGTERM])
def test_a_worker_ends_with_its_launcher(how):
    """It runs while the launcher runs, and has ended a moment after it."""
    launcher, pipe = worker_of_a_launcher()
    assert os.read(pipe, 1) == b'w'
    assert not select.select([pipe], [], [], 0.3)[0]
    os.kill(launcher, how)
    os.waitpid(launcher, 0)
    assert select.select([pipe], [], [], 20)[0] and os.read(pipe, 1) == b''
    os.close(pipe)


def test_only_processes_of_torchrun_watch(monkeypatch):
    """A shell that was closed is no reason to end, and slurm ends its tasks itself."""
    watching = []
    monkeypatch.setattr(module, 'end_with_parent', lambda: watching.append(1))
    monkeypatch.delenv('TORCHELASTIC_RUN_ID', raising=False)
    module.end_with_launcher()
    assert watching == []
    monkeypatch.setenv('TORCHELASTIC_RUN_ID', 'none')
    module.end_with_launcher()
    assert watching == [1]
