"""Parts of mmengine in one training with ours: OneCycleLR, EMA, accumulation, the best checkpoint.

A run that is cut and resumed ends bit-equal to an uninterrupted one.
"""

import copy
import shutil

import pytest

from tcnn_mm.checkpoints.loading import load_safely
from tests.support.runs import assert_same_state, small_config, test, train

EPOCHS, STEPS = 3, 3  # of 12 images in batches of 4
ONE_CYCLE = dict(type='OneCycleLR', eta_max=0.1, total_steps=EPOCHS * STEPS, by_epoch=False)
EMA = dict(type='EMAHook', ema_type='ExponentialMovingAverage', momentum=0.1)


def config(work_dir, one_cycle=False, ema=False, accumulate=1, best=False):
    """A training of three epochs with these parts of mmengine."""
    cfg = small_config(
        work_dir,
        epochs=EPOCHS,
        **{
            'train_dataloader.num_workers': 0,
            'train_dataloader.persistent_workers': False,
            'test_dataloader.num_workers': 0,
            'test_dataloader.persistent_workers': False,
        },
    )
    if one_cycle:
        cfg.param_scheduler = [dict(ONE_CYCLE)]
    if ema:
        cfg.custom_hooks = [*cfg.custom_hooks, dict(EMA)]
    cfg.optim_wrapper.accumulative_counts = accumulate
    if best:
        cfg.val_cfg, cfg.val_dataloader = dict(), copy.deepcopy(cfg.test_dataloader)
        cfg.val_evaluator = [dict(type='tcnn_mm.VOCDevkitAP', mode='voc10')]
        cfg.default_hooks.checkpoint.update(save_best='voc10/mAP', rule='greater')
    return cfg


ALL = dict(one_cycle=True, ema=True, accumulate=2, best=True)


@pytest.mark.parametrize(
    'parts',
    [
        pytest.param(ALL, id='all'),
        pytest.param(dict(one_cycle=True), id='one_cycle', marks=pytest.mark.slow),
        pytest.param(dict(ema=True), id='ema', marks=pytest.mark.slow),
        pytest.param(dict(accumulate=2), id='accumulate', marks=pytest.mark.slow),
        pytest.param(dict(best=True), id='best', marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize('epoch', [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_resumed_run_equals_an_uninterrupted_one(parts, epoch, tmp_path):
    """Weights, averages, momentum, schedule; gradients that wait for a step (3 per epoch, 2 each).

    The best checkpoint too: the cut is before the validation of its epoch.
    """
    whole = train(config(tmp_path / 'whole', **parts))
    work_dir = tmp_path / 'cut'
    train(config(work_dir, **parts), stop_after=epoch)
    cfg = config(work_dir, **parts)
    cfg.resume = True
    resumed = train(cfg)
    for key in ('state_dict', 'optimizer', 'ema_state_dict', 'param_schedulers'):
        if key in whole:
            assert_same_state(whole[key], resumed[key])
    assert ('ema_state_dict' in whole) == bool(parts.get('ema'))
    if parts.get('best'):
        first, second = (list((tmp_path / name).glob('best_*')) for name in ('whole', 'cut'))
        assert [path.name for path in first] == [path.name for path in second]
        assert_same_state(*(load_safely(best)['state_dict'] for (best,) in (first, second)))


@pytest.mark.slow
def test_the_average_is_what_is_tested(tmp_path):
    """A checkpoint of EMAHook holds the average as its weights, in a test with and without it."""
    train(config(tmp_path, ema=True))
    checkpoint = tmp_path / f'epoch_{EPOCHS}.pth'
    plain = test(config(tmp_path / 'plain'), shutil.copy(checkpoint, tmp_path / 'copy.pth'))
    assert plain == test(config(tmp_path / 'ema', ema=True), checkpoint)
