"""Score each image by the trained layers of the fold in which it was held out."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import nn

from tcnn_mm.checkpoints.loading import load_safely, model_state
from tcnn_mm.engine.unwrap_model import unwrap_model
from tcnn_mm.errors import UserError
from tcnn_mm.models.samples import sample_name


class FoldHeads:
    """The trained layers of each fold, put into one model in turn.

    Args:
        checkpoints: One per fold.
        fold_of: Image id → its fold, from 0.
    """

    def __init__(self, checkpoints: Sequence[str], fold_of: Mapping[str, int]) -> None:
        self.checkpoints, self.fold_of = checkpoints, fold_of
        self._states: dict[int, Mapping[str, torch.Tensor]] = {}
        self._current: int | None = None

    @torch.no_grad()
    def use(self, model: nn.Module, image_id: str) -> None:
        """Give the model the trained layers that did not see this image.

        Raises:
            UserError: An image of no fold; a checkpoint of another model.
        """
        if image_id not in self.fold_of:
            raise UserError(f'{image_id}: this image is in no fold')
        fold = self.fold_of[image_id]
        if fold == self._current:
            return
        path = self.checkpoints[fold]
        if fold not in self._states:
            self._states[fold] = model_state(load_safely(path))
        state = self._states[fold]
        for name, parameter in model.named_parameters():
            if parameter.requires_grad:
                if name not in state or state[name].shape != parameter.shape:
                    raise UserError(f'{path}: has no {name} of {tuple(parameter.shape)}')
                parameter.copy_(state[name])
        self._current = fold


class FoldHeadsHook(Hook):
    """Before each image of a test, puts the layers of its fold into the model.

    The test's batches hold one image each.
    """

    def __init__(self, heads: FoldHeads) -> None:
        self.heads = heads

    def before_test_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict[str, Any] | None = None
    ) -> None:
        """Choose by the id of the one image."""
        (sample,) = (data_batch or {})['data_samples']
        self.heads.use(unwrap_model(runner), sample_name(sample))
