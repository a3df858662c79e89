"""Train the heads of cross-validation: one per fold, in several processes.

Letters: R repeats, F folds.
"""

import multiprocessing
import os
import os.path as osp
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import NamedTuple

import psutil
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from tcnn_mm.checkpoints.loading import is_trusting
from tcnn_mm.checkpoints.owner_lock import owner_lock
from tcnn_mm.checkpoints.resuming import why_not_whole
from tcnn_mm.datasets.checks.decode_images import count_cores
from tcnn_mm.engine.progress import hidden_bars, progress_bar
from tcnn_mm.errors import UserError
from tcnn_mm.estimator.fold_process import begin_process, train_in_process
from tcnn_mm.estimator.training import last_checkpoint, read_config, tell, train_config

# Bytes that a process takes which trains a head: the toolbox, the network, a batch.
PROCESS_BYTES = 1.5e9
MOST_PROCESSES = 8


class FoldTask(NamedTuple):
    """One head: repeat and fold, from 1."""

    repeat: int
    fold: int

    @property
    def name(self) -> str:
        """Of its folders."""
        return f'{self.repeat}_{self.fold}'


def fold_tasks(cfg: Config) -> list[FoldTask]:
    """All heads of a config with `cross_validation`."""
    folds = cfg.cross_validation
    return [
        FoldTask(repeat, fold)
        for repeat in range(1, folds.repeats + 1)
        for fold in range(1, folds.folds + 1)
    ]


def fold_config(path: str, task: FoldTask) -> Config:
    """The config of one head: as the one on all images, without those that are held out."""
    cfg = read_config(path)
    folds = cfg.cross_validation
    cfg.train_dataloader.dataset.ids = osp.join(folds.lists, task.name, 'train.txt')
    cfg.work_dir = osp.join(folds.work_dir, task.name)
    cfg.randomness.seed = cfg.randomness.get('seed', 0) + task.repeat - 1
    for role in ('val', 'test'):
        for part in ('dataloader', 'cfg', 'evaluator'):
            cfg[f'{role}_{part}'] = None
    return cfg


def fold_checkpoint(cfg: Config, task: FoldTask) -> str:
    """Path of the checkpoint of one head, made or not; `cfg` has `cross_validation`."""
    return last_checkpoint(cfg, osp.join(cfg.cross_validation.work_dir, task.name))


def train_fold(path: str, task: FoldTask) -> str:
    """Train one head, or resume its training; returns the path of its checkpoint."""
    init_default_scope('mmpretrain')
    cfg = fold_config(path, task)

    def busy(owner: str) -> None:
        """Wait: a process of a fit that was killed ends within a second."""

    with hidden_bars(), owner_lock(f'{cfg.work_dir}.lock', busy):
        return train_config(cfg)


def train_folds(path: str, processes: int | None = None) -> list[list[str]]:
    """Train the heads of all folds that are not trained yet.

    Args:
        path: The config that :func:`write_config` wrote, with `cross_validation`.
        processes: Defaults to one per core, as the memory allows; each has an equal share of the
            threads. 1 trains in this process.

    Returns:
        Paths of the checkpoints, R lists of F.

    Raises:
        UserError: What a training raises; a process that was killed.
    """
    cfg = read_config(path)
    tasks = fold_tasks(cfg)
    count = processes or count_processes(len(tasks))
    waiting = [task for task in tasks if why_not_whole(fold_checkpoint(cfg, task)) is not None]
    if not waiting:
        tell(f'{cfg.cross_validation.work_dir}: all {len(tasks)} heads exist: trained')
    elif count == 1:
        with progress_bar(len(waiting), 'fold') as bar:
            for task in waiting:
                train_fold(path, task)
                bar.update()
    else:
        _train_in_processes(path, waiting, count)
    made = [fold_checkpoint(cfg, task) for task in tasks]
    number = cfg.cross_validation.folds
    return [made[at : at + number] for at in range(0, len(made), number)]


def count_processes(tasks: int) -> int:
    """How many processes train: as many as cores and memory allow, at most one per head."""
    by_memory = int(psutil.virtual_memory().available / PROCESS_BYTES)
    return max(1, min(tasks, count_cores(), by_memory, MOST_PROCESSES))


def _train_in_processes(path: str, tasks: Sequence[FoldTask], count: int) -> None:
    """Train these heads in `count` processes."""
    threads = max(1, torch.get_num_threads() // count)
    tell(f'{len(tasks)} heads in {count} processes of {threads} thread{"s" * (threads > 1)}')
    folder = read_config(path).cross_validation.work_dir
    os.makedirs(folder, exist_ok=True)
    log = osp.join(folder, 'processes.log')
    executor = ProcessPoolExecutor(
        min(count, len(tasks)),
        multiprocessing.get_context('spawn'),
        begin_process,
        (log, threads, is_trusting()),
    )
    try:
        with progress_bar(len(tasks), 'fold') as bar:
            waiting = [executor.submit(train_in_process, path, *task) for task in tasks]
            for done in as_completed(waiting):
                done.result()
                bar.update()
    except BrokenProcessPool as error:
        raise UserError(
            f'{log}: a process that trained a fold ended early, perhaps for lack of memory; make '
            'room, then the same command goes on'
        ) from error
    finally:
        executor.shutdown(cancel_futures=True)
