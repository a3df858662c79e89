"""The paper's schedule: ÷10 when the training loss stops moving, three stages (sec. 1)."""

import torch
from mmengine.dist import all_reduce
from mmengine.hooks import Hook

from tcnn_mm.compat import set_last_epoch
from tcnn_mm.errors import UserError
from tcnn_mm.registry import HOOKS


@HOOKS.register_module()
class PlateauStages(Hook):
    """Watches the epoch-mean training loss of all processes; validation is not needed.

    Its state travels in the checkpoint (mmengine's message hub), the learning rate in the
    optimizer's.

    Args:
        stages (int): Paper: 3. Training ends at the plateau of the last one.
        factor (float): Of the learning rate at each plateau. Paper: 0.1.
        patience (int): Epochs without progress that make a plateau. Defaults to 3.
        threshold (float): Progress is a loss below (1 - threshold) × the stage's best.
            Defaults to 0.01; the paper gives no number.

    Use it with no `param_scheduler` and with `train_cfg.max_epochs` as an upper bound.
    """

    KEY = 'plateau_stages'

    def __init__(self, stages=3, factor=0.1, patience=3, threshold=0.01):
        self.stages, self.factor = stages, factor
        self.patience, self.threshold = patience, threshold
        self._sum = None

    def before_train(self, runner):
        if runner.param_schedulers:
            raise UserError(
                'PlateauStages sets the learning rate by itself: remove param_scheduler '
                '(param_scheduler=None), found '
                f'{[type(s).__name__ for s in runner.param_schedulers]}'
            )
        state = runner.message_hub.runtime_info.get(self.KEY)
        self.state = state or dict(stage=1, best=None, waited=0, done=False)
        if self.state['done']:
            runner.train_loop.stop_training = True

    def before_train_epoch(self, runner):
        self._sum = torch.zeros(2, dtype=torch.float64)

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        loss = float(torch.as_tensor(outputs['loss']).detach())
        self._sum += torch.tensor([loss, 1.0], dtype=torch.float64)

    def after_train_epoch(self, runner):
        device = next(runner.model.parameters()).device
        total = self._sum.to(device, torch.float32 if device.type == 'mps' else torch.float64)
        all_reduce(total)
        self.step(runner, float(total[0] / total[1]))
        runner.message_hub.update_info(self.KEY, dict(self.state))

    def step(self, runner, loss):
        """Take one epoch's mean loss into account."""
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
            # This epoch becomes the last one, so that it is validated and saved as such.
            set_last_epoch(runner.train_loop, runner.epoch + 1)
            return
        state.update(stage=state['stage'] + 1, best=loss, waited=0)
        for group in runner.optim_wrapper.optimizer.param_groups:
            group['lr'] *= self.factor
        runner.logger.info(
            f'PlateauStages: loss {loss:.4f} has stopped moving; stage {state["stage"]} of '
            f'{self.stages}, lr {group["lr"]:.2g}'
        )
