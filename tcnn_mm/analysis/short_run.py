"""Train and test a config on some of its images, for so many steps or minutes."""

import copy
import os
import os.path as osp
import time
from collections.abc import Mapping
from typing import Any

from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from tcnn_mm.engine.open_runner import open_runner
from tcnn_mm.engine.patch_report import PatchReportHook
from tcnn_mm.registry import DATASETS, HOOKS, config_builds


class TimeBudget(Hook):
    """Ends training after some minutes; the learning rate falls at 2/3 and at 8/9 of them."""

    def __init__(self, minutes: float) -> None:
        self.seconds = 60 * minutes

    def before_train(self, runner: Runner) -> None:
        """Start the clock."""
        self.start = time.perf_counter()
        self.base = [group['lr'] for group in runner.optim_wrapper.optimizer.param_groups]

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Set the learning rate, or stop."""
        share = (time.perf_counter() - self.start) / self.seconds
        factor = 1 if share < 2 / 3 else 0.1 if share < 8 / 9 else 0.01
        for group, base in zip(runner.optim_wrapper.optimizer.param_groups, self.base, strict=True):
            group['lr'] = base * factor
        if share >= 1:
            runner.train_loop.stop_training = True


def stretch(cfg: Config, min_steps: int) -> None:
    """Give a config more epochs where its own are fewer steps than `min_steps`.

    The milestones of its schedule move in proportion.
    """
    length = len(DATASETS.build(cfg.train_dataloader.dataset))
    steps = -(-length // cfg.train_dataloader.batch_size)
    old = cfg.train_cfg.max_epochs
    cfg.train_cfg.max_epochs = new = max(old, -(-min_steps // steps))
    schedules = cfg.get('param_scheduler') or []
    for schedule in schedules if isinstance(schedules, list) else [schedules]:
        if 'milestones' in schedule:
            schedule.milestones = [round(m * new / old) for m in schedule.milestones]


def train_and_test(
    cfg: Config,
    settings: Mapping[str, Any],
    folder: str,
    ids: str,
    seed: int,
    min_steps: int = 0,
    minutes: float | None = None,
) -> tuple[float, int]:
    """Run a config on the images of a list.

    Args:
        cfg: The experiment; it is not changed.
        settings: Of `VOCDevkitAP`.
        folder: The work dir.
        ids: A text file of image ids.
        seed: Of the training.
        min_steps: Of the training, see :func:`stretch`. Defaults to 0.
        minutes: Train for this time instead of the config's epochs.

    Returns:
        Mean AP as a fraction, and the steps of the training.
    """
    cfg = copy.deepcopy(cfg)
    cfg.work_dir, cfg.log_level = folder, 'WARNING'
    cfg.experiment_name = f'{osp.basename(folder)}_{os.getpid()}'
    cfg.train_dataloader.dataset.ids = ids
    cfg.randomness = dict(cfg.get('randomness') or {}, seed=seed)
    cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    cfg.test_evaluator = [dict(type='tcnn_mm.VOCDevkitAP', **settings)]
    # The network of the last epoch is tested where it is; nothing is to be resumed.
    cfg.default_hooks.checkpoint = None
    for hook in cfg.custom_hooks:
        if config_builds(hook, HOOKS, PatchReportHook):
            hook.coverage = False
    if minutes:
        cfg.train_cfg.max_epochs, cfg.param_scheduler = 10**6, None
    else:
        stretch(cfg, min_steps)
    with open_runner(cfg) as runner:
        if minutes:
            runner.register_hook(TimeBudget(minutes))
        runner.train()
        runner.test()
    report = runner.test_evaluator.metrics[0].report
    return report.get('mAP_subset', report['mAP']), runner.iter
