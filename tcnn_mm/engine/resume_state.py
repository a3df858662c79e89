"""What mmengine's checkpoints lack, or hold as code, of a training that goes on."""

from collections.abc import Mapping
from typing import Any

from mmengine.dist import get_world_size
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner

from tcnn_mm.engine.unwrap_model import unwrap_model

GRADIENTS = 'waiting_gradients'


def drop_functions(schedulers: Any) -> None:
    """Remove functions from the states of schedulers, in place.

    `OneCycleLR` has its annealing function in its state, which a checkpoint would hold as code: a
    safe reader refuses it. A new scheduler has the function already.

    Args:
        schedulers: `checkpoint['param_schedulers']`: a list of states, or a dict of lists.
    """
    lists = schedulers.values() if isinstance(schedulers, Mapping) else [schedulers]
    for state in (state for states in lists for state in states or ()):
        for key in [key for key, value in state.items() if callable(value)]:
            del state[key]


def store_gradients(runner: Runner, checkpoint: dict[str, Any]) -> None:
    """Store the gradients that wait for a step (`accumulative_counts`) in a checkpoint.

    Of one process only: mmengine saves on the main process, and the others' are not there.
    """
    wrapper = runner.optim_wrapper
    if not isinstance(wrapper, OptimWrapper) or wrapper.should_update():
        return
    if get_world_size() > 1:
        runner.logger.warning(
            'a checkpoint between two steps of accumulative_counts: gradients of several processes '
            'are not stored, so a resumed run differs in its next step; let the steps of an epoch '
            'be a multiple of optim_wrapper.accumulative_counts'
        )
        return
    checkpoint[GRADIENTS] = {
        name: parameter.grad
        for name, parameter in unwrap_model(runner).named_parameters()
        if parameter.grad is not None
    }


def restore_gradients(runner: Runner, checkpoint: Mapping[str, Any]) -> None:
    """Give the parameters the gradients that waited for a step when a checkpoint was written."""
    stored = checkpoint.get(GRADIENTS)
    if not stored:
        return
    for name, parameter in unwrap_model(runner).named_parameters():
        if name in stored:
            parameter.grad = stored[name].to(parameter)
    runner.logger.info('resume: the gradients that wait for a step are restored')
