"""Stop a training that diverges, before its weights are spoilt."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.dist import all_gather_object, get_world_size
from mmengine.hooks import Hook
from mmengine.runner import Runner

from tcnn_mm.checkpoints.resuming import not_finite
from tcnn_mm.checkpoints.strict import short_list
from tcnn_mm.compat import resume_request, run_loss
from tcnn_mm.datasets.dataset_wrappers import inner_datasets
from tcnn_mm.datasets.feature_bank import FeatureBank
from tcnn_mm.engine.unwrap_model import unwrap_model
from tcnn_mm.errors import UserError
from tcnn_mm.models.samples import sample_name
from tcnn_mm.patches.bank_batch import BankPatches
from tcnn_mm.registry import HOOKS


@HOOKS.register_module()
class CheckFiniteHook(Hook):
    """Stops a training at NaN or infinity in gradients, loss or weights.

    The gradients are checked before each step of the optimizer, so that the weights stay those of
    the step before; the loss after each iteration (mixed precision leaves out steps); the weights
    before a checkpoint is written. `tcnn train` adds this hook to any config.

    Raises:
        UserError: Names what is not finite, epoch and iteration, the images, and the last
            checkpoint.
    """

    priority = 'VERY_HIGH'

    def before_train(self, runner: Runner) -> None:
        """Check gradients before each step of each optimizer."""
        for optimizer in _optimizers(runner.optim_wrapper):
            optimizer.register_step_pre_hook(
                lambda optimizer, args, kwargs: self._check_gradients(runner, optimizer)
            )

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Keep the batch, for its images' names."""
        self._batch = data_batch

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Mapping[str, Any] | None = None,
    ) -> None:
        """Check the losses."""
        for name, value in (outputs or {}).items():
            if 'loss' in name and not bool(torch.isfinite(torch.as_tensor(value)).all()):
                self._stop(runner, f'{name} is not finite')

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Check the weights."""
        names = not_finite(checkpoint['state_dict'])
        if names:
            self._stop(runner, f'the weights hold NaN or infinity ({short_list(names)})')

    def _check_gradients(self, runner: Runner, optimizer: torch.optim.Optimizer) -> None:
        grads = [p.grad for group in optimizer.param_groups for p in group['params']]
        # A sum is finite if all its terms are; it reads each gradient once.
        sums = [grad.detach().sum(dtype=torch.float32) for grad in grads if grad is not None]
        if not sums or bool(torch.isfinite(torch.stack(sums)).all()):
            return
        wrong = [
            name
            for name, p in unwrap_model(runner).named_parameters()
            if p.grad is not None and not bool(torch.isfinite(p.grad).all())
        ]
        if wrong:
            self._stop(runner, f'gradients hold NaN or infinity ({short_list(wrong)})')

    def _stop(self, runner: Runner, what: str) -> None:
        images = '; '.join(dict.fromkeys(all_gather_object(self._images(runner))))
        raise UserError(
            f'training stopped in epoch {runner.epoch + 1}, iteration {runner.iter + 1}: {what}; '
            f'{images}; last good checkpoint: {_last_checkpoint(runner)}; lower the learning rate '
            '(--cfg-options optim_wrapper.optimizer.lr=…), or look at these images'
        )

    def _images(self, runner: Runner) -> str:
        """Say which images of the batch of this process it is about."""
        batch = getattr(self, '_batch', None) or {}
        inputs = batch.get('inputs') if isinstance(batch, Mapping) else None
        if isinstance(inputs, BankPatches):
            return _bank_images(runner.train_loop.dataloader.dataset, inputs)
        samples = batch.get('data_samples') if isinstance(batch, Mapping) else None
        if not isinstance(samples, Sequence) or not all(hasattr(s, 'get') for s in samples):
            return 'images: without names'
        names = [sample_name(sample) for sample in samples]
        alone = [] if get_world_size() > 1 else list(_spoilt(unwrap_model(runner), batch, names))
        if alone and len(alone) < len(names):
            return f'images whose own loss is not finite: {short_list(alone)}'
        return f'images of the batch: {short_list(names)}'


def _spoilt(model: Any, batch: Mapping[str, Any], names: Sequence[str]) -> Iterator[str]:
    """Names of the images of a batch whose own loss is not finite."""
    inputs, samples = batch['inputs'], batch['data_samples']
    if not isinstance(inputs, (list, torch.Tensor)):
        return
    for i, name in enumerate(names):
        losses = run_loss(model, dict(inputs=inputs[i : i + 1], data_samples=samples[i : i + 1]))
        if not all(bool(torch.isfinite(torch.as_tensor(loss)).all()) for loss in losses.values()):
            yield name


def _bank_images(dataset: Any, batch: BankPatches) -> str:
    """Say which images of a bank have features that are not finite."""
    banks = [each for each in inner_datasets(dataset) if isinstance(each, FeatureBank)]
    named = short_list([bank.folder for bank in banks]) if banks else 'the feature bank'
    if all(bool(torch.isfinite(part).all()) for part in batch.features):
        return f'patches of many images of {named}, whose features are finite'
    names = [
        str(record.get('img_id'))
        for bank in banks
        for record, first, size in zip(
            bank.manifest['pictures'], bank.first, bank.sizes, strict=True
        )
        if not np.isfinite(bank.features[:, first : first + size]).all()
    ]
    return f'features in {named} that are not finite, of the images {short_list(names)}'


def _optimizers(wrapper: Any) -> list[torch.optim.Optimizer]:
    """The optimizers of an OptimWrapper, or of an OptimWrapperDict."""
    if hasattr(wrapper, 'optimizer'):
        return [wrapper.optimizer]
    return [each.optimizer for each in wrapper.values()]


def _last_checkpoint(runner: Runner) -> str:
    """The newest checkpoint that this run has written, or from which it was resumed."""
    written = [getattr(hook, 'last_ckpt', None) for hook in runner.hooks]
    resumes, path = resume_request(runner)
    found = [path for path in (*written, path if resumes else None) if path]
    return str(found[0]) if found else 'none was written yet'
