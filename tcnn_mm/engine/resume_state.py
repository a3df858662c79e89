"""What mmengine's checkpoints lack, or hold as code, of a training that goes on."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmengine.dist import all_gather, all_reduce, get_rank, get_world_size, is_main_process
from mmengine.hooks import EarlyStoppingHook
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner

from tcnn_mm.engine.unwrap_model import unwrap_model

# Keys of a checkpoint: gradients of one process, or of several by rank; counts of early stopping.
GRADIENTS = 'waiting_gradients'
OF_PROCESSES = 'waiting_gradients_by_rank'
EARLY_STOPPING = 'early_stopping'


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


def waiting_gradients(runner: Runner) -> list[dict[str, torch.Tensor]]:
    """Return the gradients that wait for a step (`accumulative_counts`), per process.

    To be called by all processes: each has gradients of its own until a step averages them.

    Returns:
        list: Per rank: name of a parameter → its gradient on the CPU. Empty where nothing waits,
            and on all processes but the main one.
    """
    wrapper = runner.optim_wrapper
    if not isinstance(wrapper, OptimWrapper) or wrapper.should_update():
        return []
    found: list[dict[str, torch.Tensor]] = [{} for _ in range(get_world_size())]
    # A process whose images gave no patches may lack one that the others have.
    parameters = [(n, p) for n, p in unwrap_model(runner).named_parameters() if p.requires_grad]
    has = torch.tensor([float(p.grad is not None) for _, p in parameters])
    all_reduce(has)
    for (name, parameter), count in zip(parameters, has.tolist(), strict=True):
        if not count:
            continue
        own = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        for rank, gradient in enumerate(all_gather(own)):
            if is_main_process():
                found[rank][name] = gradient.cpu()
    return found if is_main_process() else []


def store_gradients(
    checkpoint: dict[str, Any], gradients: Sequence[dict[str, torch.Tensor]]
) -> None:
    """Store what `waiting_gradients` returned in a checkpoint."""
    if len(gradients) == 1:
        checkpoint[GRADIENTS] = gradients[0]
    elif gradients:
        checkpoint[OF_PROCESSES] = gradients


def restore_gradients(runner: Runner, checkpoint: Mapping[str, Any]) -> None:
    """Give the parameters the gradients that waited for a step when a checkpoint was written.

    A step averages those of all processes: with another number of them, each gets the average of
    the stored ones.
    """
    stored = checkpoint.get(OF_PROCESSES) or [checkpoint.get(GRADIENTS) or {}]
    if len(stored) == get_world_size():
        own = stored[get_rank()]
    else:
        own = {name: sum(each[name] for each in stored) / len(stored) for name in stored[0]}
    if not own:
        return
    for name, parameter in unwrap_model(runner).named_parameters():
        if name in own:
            parameter.grad = own[name].to(parameter)
    runner.logger.info('resume: the gradients that wait for a step are restored')


def store_early_stopping(runner: Runner, checkpoint: dict[str, Any]) -> None:
    """Store what mmengine's `EarlyStoppingHook`s have counted, which its checkpoints lack."""
    hooks = _early_stopping(runner)
    if hooks:
        checkpoint[EARLY_STOPPING] = {
            hook.monitor: dict(wait_count=hook.wait_count, best_score=float(hook.best_score))
            for hook in hooks
        }


def restore_early_stopping(runner: Runner, checkpoint: Mapping[str, Any]) -> None:
    """Let `EarlyStoppingHook`s go on from what they had counted."""
    stored = checkpoint.get(EARLY_STOPPING) or {}
    for hook in _early_stopping(runner):
        if hook.monitor in stored:
            hook.wait_count = stored[hook.monitor]['wait_count']
            hook.best_score = stored[hook.monitor]['best_score']


def has_stopped(runner: Runner) -> bool:
    """Whether an `EarlyStoppingHook` ended the training at its last validation."""
    return any(
        hook.wait_count >= hook.patience
        or (
            hook.stopping_threshold is not None
            and hook.rule_map[hook.rule](hook.best_score, hook.stopping_threshold)
        )
        for hook in _early_stopping(runner)
    )


def _early_stopping(runner: Runner) -> list[EarlyStoppingHook]:
    return [hook for hook in runner.hooks if isinstance(hook, EarlyStoppingHook)]
