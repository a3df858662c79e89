"""Parts of other packages with a wrong type or argument are one line with the nearest name."""

import re

import pytest
import torch
from mmengine.registry import HOOKS, MODELS, OPTIMIZERS, PARAM_SCHEDULERS, DefaultScope
from torch import nn

from tcnn_mm.cli.errors import run_tool

PARAMETERS = nn.Linear(1, 1).parameters()


class Broken(nn.Module):
    """A part whose own code calls something wrongly."""

    def __init__(self, k: int = 1) -> None:
        super().__init__()
        torch.nn.Linear(1, 1, k=k)


@pytest.mark.parametrize(
    'registry, part, given, message',
    [
        (MODELS, dict(type='MaxAggregator'), {}, 'MaxAggregator.*nearest: tcnn_mm.MaxAggregator'),
        (MODELS, dict(type='tcnn_mm.MaxAgregator'), {}, 'nearest: tcnn_mm.MaxAggregator'),
        (HOOKS, dict(type='IterTimerHok'), {}, r'IterTimerHok.*\(hook\); nearest: IterTimerHook'),
        (HOOKS, dict(type='LoggerHook', intervall=1), {}, 'intervall=1: .*nearest: interval;'),
        (
            OPTIMIZERS, dict(type='Adam', lr=1, momentum=0.9), dict(params=PARAMETERS),
            "type='Adam', momentum=0.9: it has no argument momentum; .*betas.*KEY._delete_=True",
        ),
        (
            PARAM_SCHEDULERS, dict(type='StepLR', milestones=[1]), dict(optimizer=None),
            'milestones: it has|no argument milestones; it has .*step_size',
        ),
        (
            MODELS,
            dict(type='tcnn_mm.DropoutLinearClsHead', num_classes=2, in_channels=2, hidden=1), {},
            'no argument hidden; .*in_channels, .*num_classes',
        ),
        (MODELS, dict(type='tcnn_mm.TorchvisionBackbone'), {}, "Backbone': needs 'name'"),
    ],
)  # fmt: skip
def test_a_part_that_cannot_be_built_is_one_line(registry, part, given, message, capsys):
    """The type, the argument with its value, and what to give instead; no traceback."""
    with DefaultScope.overwrite_default_scope('mmpretrain'), pytest.raises(SystemExit):
        run_tool(lambda: registry.build(part, default_args=given or None))
    error = capsys.readouterr().err
    assert error.startswith('error: ') and error.count('\n') == 1
    assert re.search(message, error), error


def test_a_fault_inside_a_part_keeps_its_traceback():
    """An error of the part's own code is no mistake of the config."""
    MODELS.register_module(name='tcnn_test_broken', module=Broken, force=True)
    try:
        with pytest.raises(TypeError, match="unexpected keyword argument 'k'"):
            run_tool(lambda: MODELS.build(dict(type='tcnn_test_broken')))
    finally:
        MODELS._module_dict.pop('tcnn_test_broken')
