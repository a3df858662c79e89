"""Short runs of the real Runner on a part of MiniVOC, for tests."""

import contextlib
import os.path as osp

import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.registry import init_default_scope

import tcnn_mm  # noqa: F401
from tcnn_mm.checkpoints.loading import load_safely
from tcnn_mm.engine.open_runner import open_runner

CONFIGS = osp.join(osp.dirname(osp.dirname(osp.dirname(osp.abspath(__file__)))), 'configs')


def small_config(work_dir, name='tcnn_minivoc.py', epochs=2, images=12, **options):
    """A config of ours, cut down to a few images, few patches and no log noise."""
    cfg = Config.fromfile(osp.join(CONFIGS, name))
    # λ of labelled patches, or s of a ScaleSampler's windows.
    scales = 'factors' if cfg.model.sampler.type.endswith('ScaleSampler') else 'grid.scales'
    cfg.merge_from_dict(
        {
            'work_dir': str(work_dir),
            'log_level': 'WARNING',
            'experiment_name': f'{osp.basename(str(work_dir))}_{id(cfg)}',
            'train_cfg.max_epochs': epochs,
            'param_scheduler.milestones': [1],
            'train_dataloader.batch_size': 4,
            'train_dataloader.dataset.indices': images,
            'test_dataloader.dataset.indices': images,
            'test_dataloader.batch_size': 4,
            'default_hooks.checkpoint.interval': 1,
            'default_hooks.checkpoint.max_keep_ckpts': -1,
            f'model.sampler.{scales}': [1.0, 2.0],
            **options,
        }
    )
    for hook in cfg.custom_hooks:
        if hook.type.endswith('PatchReportHook'):
            hook.coverage = False
    return cfg


class StopAfter(Hook):
    """The power cut: ends a run after an epoch, when its checkpoint is written."""

    def __init__(self, epoch):
        self.epoch = epoch

    def after_train_epoch(self, runner):
        if runner.epoch + 1 == self.epoch:
            raise KeyboardInterrupt


def train(cfg, stop_after=None):
    """Train, perhaps only up to a power cut; returns the last checkpoint, loaded as data."""
    init_default_scope('mmpretrain')
    with contextlib.suppress(KeyboardInterrupt), open_runner(cfg) as runner:
        if stop_after is not None:
            runner.register_hook(StopAfter(stop_after), priority='LOWEST')
        runner.train()
    with open(osp.join(cfg.work_dir, 'last_checkpoint')) as file:
        return load_safely(file.read().strip())


def test(cfg, checkpoint):
    """Test a checkpoint file; returns the metrics."""
    cfg.load_from = str(checkpoint)
    init_default_scope('mmpretrain')
    with open_runner(cfg) as runner:
        return runner.test()


test.__test__ = False  # a helper, not a test


def assert_same_state(first, second):
    """Two nested states (weights, momentum) are bit-equal."""
    if isinstance(first, torch.Tensor):
        assert torch.equal(first, second)
    elif isinstance(first, dict):
        assert first.keys() == second.keys()
        for key in first:
            assert_same_state(first[key], second[key])
    elif isinstance(first, (list, tuple)):
        assert len(first) == len(second)
        for a, b in zip(first, second, strict=True):
            assert_same_state(a, b)
    else:
        assert first == second
