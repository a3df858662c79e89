"""The optimizer holds what trains, by name, and nothing else."""

import pytest
import torch
from mmengine.registry import DefaultScope

from tcnn_mm.engine import TrainableParams
from tcnn_mm.errors import UserError
from tests.support.patch_model import build_model

CFG = dict(optimizer=dict(type='SGD', lr=0.01, momentum=0.9))


def test_trainable_only_and_ordered():
    """FCa and FCb in the order of their names; frozen parameters are not there."""
    model = build_model()
    wrapper = TrainableParams(CFG)(model)
    (group,) = wrapper.optimizer.param_groups
    head = model.head
    expected = [head.FCa.bias, head.FCa.weight, head.FCb.bias, head.FCb.weight]
    assert all(a is b for a, b in zip(group['params'], expected, strict=True))
    assert isinstance(wrapper.optimizer, torch.optim.SGD)


def test_nothing_to_train_is_an_error():
    """Everything frozen is a mistake that is named."""
    with pytest.raises(UserError, match='every parameter is frozen'):
        TrainableParams(CFG)(build_model(frozen=('backbone', 'head')))


def test_paramwise_cfg_is_refused():
    """Per-layer rates belong to mmengine's constructor; the error says so."""
    with pytest.raises(UserError, match='DefaultOptimWrapperConstructor'):
        TrainableParams(CFG, dict(bias_lr_mult=2))(build_model())


def test_it_is_found_by_name_from_mmpretrains_scope():
    """The config's constructor string resolves in the scope that configs use."""
    from mmengine.registry import OPTIM_WRAPPER_CONSTRUCTORS

    with DefaultScope.overwrite_default_scope('mmpretrain'):
        assert OPTIM_WRAPPER_CONSTRUCTORS.get('tcnn_mm.TrainableParams') is TrainableParams
