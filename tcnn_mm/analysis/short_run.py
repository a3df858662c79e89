"""A config's training and test, changed for a comparison: on some pictures, for so long."""

import copy
import os
import os.path as osp
import time

from mmengine.hooks import Hook
from mmengine.runner import Runner

from tcnn_mm.registry import DATASETS


class TimeBudget(Hook):
    """Ends training after some minutes; the learning rate falls at 2/3 and at 8/9 of them."""

    def __init__(self, minutes):
        self.seconds = 60 * minutes

    def before_train(self, runner):
        self.start = time.perf_counter()
        self.base = [group['lr'] for group in runner.optim_wrapper.optimizer.param_groups]

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        share = (time.perf_counter() - self.start) / self.seconds
        factor = 1 if share < 2 / 3 else 0.1 if share < 8 / 9 else 0.01
        for group, base in zip(runner.optim_wrapper.optimizer.param_groups, self.base, strict=True):
            group['lr'] = base * factor
        if share >= 1:
            runner.train_loop.stop_training = True


def stretch(cfg, min_steps):
    """Give a config more epochs, where its own are fewer steps than `min_steps`.

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


def train_and_test(cfg, settings, folder, ids, seed, min_steps=None, minutes=None):
    """The config's run on the pictures of a list; until `minutes` are over, where they are given.

    Returns:
        tuple[float, int]: mean AP as a fraction, and the steps of the training.
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
        if hook.type.endswith('PatchReportHook'):
            hook.coverage = False
    if minutes:
        cfg.train_cfg.max_epochs, cfg.param_scheduler = 10**6, None
    else:
        stretch(cfg, min_steps)
    runner = Runner.from_cfg(cfg)
    if minutes:
        runner.register_hook(TimeBudget(minutes))
    runner.train()
    runner.test()
    report = runner.test_evaluator.metrics[0].report
    return report.get('mAP_subset', report['mAP']), runner.iter
