"""The schedule of the paper: three stages, learning rate ÷ 10 at each plateau (sec. 1)."""

from typing import Any

import torch
from mmengine.dist import all_reduce
from mmengine.hooks import Hook
from mmengine.runner import Runner

from tcnn_mm.compat import set_last_epoch
from tcnn_mm.errors import UserError
from tcnn_mm.registry import HOOKS


@HOOKS.register_module()
class PlateauStages(Hook):
    """Lowers the learning rate when the mean training loss of an epoch reaches a plateau.

    The loss is that of all processes; validation is not needed. The state is saved in the
    checkpoint (mmengine's message hub), the learning rate in the state of the optimizer.

    Args:
        stages (int): Paper: 3. Training ends at the plateau of the last one.
        factor (float): Factor of the learning rate at each plateau. Paper: 0.1.
        patience (int): Number of epochs without progress that count as a plateau. Defaults to 3.
        threshold (float): Progress is a loss below (1 - threshold) × the best of the stage.
            Defaults to 0.01; the paper gives no number.

    Use it with no `param_scheduler` and with `train_cfg.max_epochs` as an upper bound.
    """

    KEY = 'plateau_stages'

    def __init__(
        self,
        stages: int = 3,
        factor: float = 0.1,
        patience: int = 3,
        threshold: float = 0.01,
    ) -> None:
        self.stages, self.factor = stages, factor
        self.patience, self.threshold = patience, threshold
        # Sum of the losses and number of iterations of the epoch.
        self._sum = torch.zeros(2, dtype=torch.float64)
        self.state: dict[str, Any] = {}

    def before_train(self, runner: Runner) -> None:
        """Restore the state of a resumed run."""
        if runner.param_schedulers:
            raise UserError(
                'PlateauStages sets the learning rate itself: remove param_scheduler '
                '(param_scheduler=None), found '
                f'{[type(s).__name__ for s in runner.param_schedulers]}'
            )
        state = runner.message_hub.runtime_info.get(self.KEY)
        self.state = state or dict(stage=1, best=None, waited=0, done=False)
        if self.state['done']:
            runner.train_loop.stop_training = True

    def before_train_epoch(self, runner: Runner) -> None:
        """Start a new mean."""
        self._sum = torch.zeros(2, dtype=torch.float64)

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Add the loss of an iteration."""
        loss = float(torch.as_tensor(outputs['loss']).detach())
        self._sum += torch.tensor([loss, 1.0], dtype=torch.float64)

    def after_train_epoch(self, runner: Runner) -> None:
        """Average over all processes, and change the learning rate at a plateau."""
        device = next(runner.model.parameters()).device
        total = self._sum.to(device, torch.float32 if device.type == 'mps' else torch.float64)
        all_reduce(total)
        self.step(runner, float(total[0] / total[1]))
        runner.message_hub.update_info(self.KEY, dict(self.state))

    def step(self, runner: Runner, loss: float) -> None:
        """Update the state by the mean loss of one epoch."""
        state = self.state
        if state['best'] is None or loss < state['best'] * (1 - self.threshold):
            state['best'], state['waited'] = loss, 0
            return
        state['waited'] += 1
        if state['waited'] < self.patience:
            return
        if state['stage'] == self.stages:
            state['done'] = True
            runner.logger.info(f'PlateauStages: end of stage {self.stages} at loss {loss:.4f}')
            # So that this epoch is validated and saved as the last one.
            set_last_epoch(runner.train_loop, runner.epoch + 1)
            return
        state.update(stage=state['stage'] + 1, best=loss, waited=0)
        for group in runner.optim_wrapper.optimizer.param_groups:
            group['lr'] *= self.factor
        runner.logger.info(
            f'PlateauStages: loss {loss:.4f} is at a plateau; stage {state["stage"]} of '
            f'{self.stages}, lr {group["lr"]:.2g}'
        )
