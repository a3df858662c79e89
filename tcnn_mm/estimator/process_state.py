"""Run the toolbox inside another program without changing that program's global state."""

import contextlib
import os
import random
import threading
import warnings
from collections.abc import Iterator

import numpy as np
import torch
import torch.multiprocessing

from tcnn_mm.compat import quiet_log, toolbox_globals
from tcnn_mm.engine.progress import hidden_bars

# mmengine's state is global: one run at a time in a process.
_LOCK = threading.RLock()
# Of Python's processes. Those of joblib ('loky') have one of their own, with which workers of data
# loaders do not start.
START_METHODS = ('spawn', 'fork', 'forkserver')


@contextlib.contextmanager
def preserved_process_state(verbose: bool = False) -> Iterator[None]:
    """Restore the host's state after a run of the toolbox.

    Random generators of Python, numpy and torch (CPU and GPUs), environment variables, working
    directory, warning filters, start method of processes, OpenCV's number of threads, cuDNN's
    flags, and mmengine's global objects. Runs of several threads wait for each other.

    Args:
        verbose: Let progress bars and the log of the run through.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(_LOCK)
        stack.enter_context(torch.random.fork_rng())
        stack.enter_context(_host_settings())
        stack.enter_context(warnings.catch_warnings())
        stack.enter_context(toolbox_globals())
        if not verbose:
            stack.enter_context(quiet_log())
            stack.enter_context(hidden_bars())
        yield


@contextlib.contextmanager
def _host_settings() -> Iterator[None]:
    """Keep what Python and the libraries below mmengine hold."""
    import cv2

    python, numpy = random.getstate(), np.random.get_state()
    environment, folder = dict(os.environ), os.getcwd()
    method = torch.multiprocessing.get_start_method(allow_none=True)
    threads, cudnn = cv2.getNumThreads(), torch.backends.cudnn
    flags = cudnn.benchmark, cudnn.deterministic
    if method not in (None, *START_METHODS):
        torch.multiprocessing.set_start_method(START_METHODS[hasattr(os, 'fork')], force=True)
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
        for name in os.environ.keys() - environment.keys():
            del os.environ[name]
        os.environ.update(environment)
        os.chdir(folder)
        torch.multiprocessing.set_start_method(method, force=True)
        cv2.setNumThreads(threads)
        cudnn.benchmark, cudnn.deterministic = flags
