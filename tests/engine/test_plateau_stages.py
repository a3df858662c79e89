"""The paper's schedule on made-up losses, in a runner made of what the hook uses."""

from types import SimpleNamespace

import pytest
import torch

from tcnn_mm.engine import PlateauStages
from tcnn_mm.errors import UserError


def make_runner(**extra):
    from mmengine.logging import MessageHub, MMLogger

    model = torch.nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    return SimpleNamespace(
        model=model,
        optim_wrapper=SimpleNamespace(optimizer=optimizer),
        train_loop=SimpleNamespace(stop_training=False, _max_epochs=99),
        message_hub=MessageHub(f'plateau{id(model)}'),
        logger=MMLogger.get_current_instance(),
        param_schedulers=None,
        epoch=0,
        **extra,
    )


def run(hook, runner, losses):
    """Feed one loss an epoch; returns the learning rate during each epoch."""
    rates = []
    hook.before_train(runner)
    for loss in losses:
        rates.append(runner.optim_wrapper.optimizer.param_groups[0]['lr'])
        hook.before_train_epoch(runner)
        hook.after_train_iter(runner, 0, outputs=dict(loss=torch.tensor(loss)))
        hook.after_train_epoch(runner)
        runner.epoch += 1
        if runner.epoch == runner.train_loop._max_epochs:
            break
    return rates


def test_three_stages_and_the_end():
    """÷10 after each plateau, the end after the third, as the paper trains."""
    runner = make_runner()
    rates = run(PlateauStages(patience=2), runner, [3.0, 2.0] + [2.0] * 30)
    assert rates == pytest.approx([0.01] * 4 + [0.001] * 2 + [0.0001] * 2)
    assert runner.train_loop._max_epochs == len(rates)


def test_progress_postpones_the_plateau():
    """A loss that falls by more than the threshold keeps the stage going."""
    runner = make_runner()
    assert set(run(PlateauStages(patience=2), runner, [0.9**i for i in range(40)])) == {0.01}


def test_mean_of_the_epoch_not_its_last_batch():
    """The epoch's mean is watched: a lucky last batch is no progress."""
    hook, runner = PlateauStages(patience=1, stages=2), make_runner()
    hook.before_train(runner)
    for _ in range(2):
        hook.before_train_epoch(runner)
        for loss in (3.0, 1.0):
            hook.after_train_iter(runner, 0, outputs=dict(loss=loss))
        hook.after_train_epoch(runner)
    assert hook.state['best'] == 2.0 and hook.state['stage'] == 2


def test_state_survives_a_resume():
    """A new hook on the old message hub goes on in the stage where the first one was."""
    runner = make_runner()
    losses = [3.0, 2.0] + [2.0] * 30
    whole = run(PlateauStages(patience=2), make_runner(), losses)
    first = run(PlateauStages(patience=2), runner, losses[:5])
    rest = run(PlateauStages(patience=2), runner, losses[5:])
    assert first + rest == whole


def test_a_scheduler_beside_it_is_refused():
    """Two things must not set the learning rate."""
    runner = make_runner()
    runner.param_schedulers = [object()]
    with pytest.raises(UserError, match='param_scheduler'):
        PlateauStages().before_train(runner)
