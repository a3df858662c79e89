"""Randomness as a function of (seed, epoch): a resumed run equals an uninterrupted one."""

import random
from typing import Any

import numpy as np
import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.runner import IterBasedTrainLoop, Runner

from tcnn_mm.engine.passes import PassIterator, epoch_parts
from tcnn_mm.engine.unwrap_model import unwrap_model
from tcnn_mm.patches.sampler import keyed_generator
from tcnn_mm.registry import HOOKS


def tell_epoch(dataset: Any, seed: int, epoch: int) -> None:
    """Call `set_epoch(seed, epoch)` of a data set and of its transforms, where they have it.

    Of one that wraps others (ConcatDataset, RepeatDataset, ClassBalancedDataset) it is that of all
    of them.
    """
    for part in epoch_parts(dataset):
        part.set_epoch(seed, epoch)


@HOOKS.register_module()
class EpochSeedHook(Hook):
    """Re-seed torch, numpy and Python at each epoch, and tell model and data the epoch.

    The model's and the transforms' `set_epoch(seed, epoch)` are called before the first batch of
    the epoch is asked for. mmengine's checkpoints hold no generator states; with this hook they
    need none. Validation and test data are always told seed 0, epoch 0.

    In mmengine's `IterBasedTrainLoop`, whose whole training is one epoch, a pass over the data
    takes the place of the epoch (:class:`PassIterator`), and the generators are re-seeded at each
    iteration.
    """

    priority = 'VERY_HIGH'

    def before_train(self, runner: Runner) -> None:
        """Count passes where the training counts iterations."""
        loop = runner.train_loop
        if isinstance(loop, IterBasedTrainLoop):
            loop.dataloader_iterator = PassIterator(
                loop.dataloader, lambda number: self._tell(runner, number)
            )

    def before_train_epoch(self, runner: Runner) -> None:
        """Tell model and data (seed, epoch)."""
        if not isinstance(runner.train_loop, IterBasedTrainLoop):
            self._tell(runner, runner.epoch)

    @staticmethod
    def _tell(runner: Runner, epoch: int) -> None:
        seed, model = int(runner.seed or 0), unwrap_model(runner)
        if hasattr(model, 'set_epoch'):
            model.set_epoch(seed, epoch)
        tell_epoch(runner.train_dataloader.dataset, seed, epoch)

    def before_val_epoch(self, runner: Runner) -> None:
        """Tell the validation data seed 0, epoch 0."""
        # The same draw each time and in every run, or figures could not be compared.
        tell_epoch(runner.val_dataloader.dataset, 0, 0)

    def before_test_epoch(self, runner: Runner) -> None:
        """Tell the test data seed 0, epoch 0."""
        tell_epoch(runner.test_dataloader.dataset, 0, 0)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Seed the generators before the first batch of an epoch, or before each iteration."""
        by_iteration = isinstance(runner.train_loop, IterBasedTrainLoop)
        if batch_idx and not by_iteration:
            return
        # Not in before_train_epoch: a fresh data loader draws from torch's generator when its
        # iterator is made, a persistent one does not, and a resumed run has a fresh one. Each
        # process has a dropout stream of its own.
        unit = ('iteration', runner.iter) if by_iteration else ('epoch', runner.epoch)
        draw = keyed_generator(unit[0], int(runner.seed or 0), unit[1], get_rank())
        torch.manual_seed(int(draw.integers(2**63)))
        np.random.seed(int(draw.integers(2**32)))
        random.seed(int(draw.integers(2**63)))
