"""A training that is set up to its first batch, with all checks, and leaves nothing."""

import copy
import errno
import os
import os.path as osp
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mmengine.config import Config, ConfigDict
from mmengine.hooks import Hook
from mmengine.runner import Runner

from tcnn_mm.checkpoints.resuming import newest_whole
from tcnn_mm.datasets.dataset_wrappers import replace_inner
from tcnn_mm.datasets.feature_bank import is_feature_bank
from tcnn_mm.engine.open_runner import open_runner


class Ready(Exception):
    """Ends a training before its first batch."""


class StopBeforeTraining(Hook):
    """Raises :class:`Ready` when all other hooks have had their `before_train`."""

    def before_train(self, runner: Runner) -> None:
        """End the training."""
        raise Ready


def check_folder(path: str) -> None:
    """Raise what the system would say if a folder were made and written to, without doing it.

    Raises:
        OSError: A file is in its place or above it; the folder cannot be written.
    """
    there = osp.abspath(path)
    while not osp.lexists(there):
        there = osp.dirname(there)
    if not osp.isdir(there):
        number = errno.EEXIST if there == osp.abspath(path) else errno.ENOTDIR
        raise OSError(number, os.strerror(number), path)
    if not os.access(there, os.W_OK | os.X_OK):
        raise OSError(errno.EACCES, os.strerror(errno.EACCES), path)


@contextmanager
def ready_runner(cfg: Config, missing: Any) -> Iterator[Runner]:
    """Yield the Runner of a config when it would ask for its first batch.

    It has built everything that a training builds, read the checkpoint that it starts from, and
    run the checks of all hooks. It works in a folder of its own, which is removed.

    Args:
        cfg: The experiment; not changed.
        missing: bank → whether it does not exist: its images stand in for it.

    Raises:
        OSError: The work dir cannot be made or written.
    """
    check_folder(cfg.work_dir)
    tried = copy.deepcopy(cfg)
    for split in ('train', 'val'):
        loader = tried.get(f'{split}_dataloader')
        if loader:
            loader.dataset = ConfigDict(
                replace_inner(
                    loader.dataset,
                    lambda each: each.source if is_feature_bank(each) and missing(each) else each,
                )
            )
    if isinstance(tried.get('visualizer'), dict):
        tried.visualizer['vis_backends'] = []  # they would write, or begin a run on a server
    if tried.get('resume') and not tried.get('load_from'):
        tried.load_from = _newest(cfg)
        tried.resume = tried.load_from is not None
    tried.log_level = 'WARNING'
    with tempfile.TemporaryDirectory() as folder:
        tried.work_dir = folder
        with open_runner(tried) as runner:
            runner.register_hook(StopBeforeTraining(), priority='LOWEST')
            try:
                runner.train()
            except Ready:
                yield runner


def _newest(cfg: Config) -> str | None:
    """The checkpoint from which `--resume` without a file goes on."""
    hook = (cfg.get('default_hooks') or {}).get('checkpoint') or {}
    template = hook.get('filename_tmpl') or 'epoch_{}.pth'
    return newest_whole(cfg.work_dir, template).path
