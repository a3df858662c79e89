"""Options of `tcnn train` and `tcnn test`, and what their errors advise."""

import pytest
from mmengine.config import Config
from mmengine.hooks import EarlyStoppingHook

from tcnn_mm.engine.load_config import parse_options
from tcnn_mm.engine.run_options import leave_out_training_hooks, scale_learning_rate
from tcnn_mm.errors import UserError
from tests.support.remedies import words_named
from tests.support.tiny_run import tiny_config


def test_scaling_needs_a_base_batch_size(tmp_path):
    """Without one an error names the key; given as it says, the learning rate is scaled."""
    cfg = tiny_config(tmp_path)
    with pytest.raises(UserError, match='--auto-scale-lr: the config does not say') as error:
        scale_learning_rate(cfg)
    flag, option = words_named(error.value, '--cfg-options')
    cfg.merge_from_dict(parse_options([option]))
    scale_learning_rate(cfg)
    assert flag == '--cfg-options'
    assert cfg.auto_scale_lr == dict(base_batch_size=2, enable=True)


@pytest.mark.parametrize(
    'hook',
    [
        dict(type='EarlyStoppingHook', monitor='mAP'),
        dict(type='mmengine.EarlyStoppingHook', monitor='mAP'),
        dict(type=EarlyStoppingHook, monitor='mAP'),
        EarlyStoppingHook('mAP'),
    ],
)
def test_early_stopping_is_left_out_of_a_test(hook):
    """As a name, with its scope, as a class and built; other hooks stay."""
    other = dict(type='tcnn_mm.EpochSeedHook')
    cfg = Config(dict(custom_hooks=[hook, other]))
    leave_out_training_hooks(cfg)
    assert cfg.custom_hooks == [other]
