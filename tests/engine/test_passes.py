"""Training by iterations: each pass over the data draws anew, and a resumed run is exact."""

import pytest
from mmengine.hooks import Hook

from tcnn_mm.engine.passes import PassIterator
from tcnn_mm.errors import UserError
from tests.support.runs import assert_same_state, small_config, train
from tests.support.tiny_run import TinyData, last_state, tiny_config


def by_iterations(cfg, iterations, sampler='DefaultSampler'):
    """Make the training of a config count iterations, with a checkpoint after each third."""
    cfg.train_cfg = dict(type='IterBasedTrainLoop', max_iters=iterations, val_interval=10**6)
    cfg.val_dataloader = cfg.val_cfg = cfg.val_evaluator = None
    cfg.param_scheduler = None
    cfg.train_dataloader.sampler = dict(type=sampler, shuffle=True)
    cfg.default_hooks.checkpoint.update(by_epoch=False, interval=3, max_keep_ckpts=-1)
    return cfg


class StopAt(Hook):
    """Ends a run after an iteration."""

    priority = 'LOWEST'

    def __init__(self, iteration):
        self.iteration = iteration

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter + 1 == self.iteration:
            raise KeyboardInterrupt


def run(cfg):
    from mmengine.runner import Runner

    runner = Runner.from_cfg(cfg)
    runner.train()
    return runner


@pytest.mark.parametrize('sampler', ['DefaultSampler', 'InfiniteSampler'])
@pytest.mark.parametrize('stop', [4, 7])
def test_a_run_by_iterations_resumes_exactly(tmp_path, sampler, stop):
    """Killed within a pass: weights and momentum bit-equal, dropout on."""
    run(by_iterations(tiny_config(tmp_path / 'whole'), 9, sampler))
    cut = by_iterations(tiny_config(tmp_path / 'cut'), 9, sampler)
    cut.custom_hooks = [*cut.custom_hooks, dict(type=StopAt, iteration=stop)]
    with pytest.raises(KeyboardInterrupt):
        run(cut)
    rest = by_iterations(tiny_config(tmp_path / 'cut'), 9, sampler)
    rest.resume = True
    runner = run(rest)
    # 8 rows in batches of 2: the pass of the resumed iteration, and the following.
    assert runner.model.epochs[-1] == 2
    assert_same_state(last_state(tmp_path / 'cut'), last_state(tmp_path / 'whole'))


def test_patches_are_drawn_again_in_each_pass(tmp_path):
    """Of one image, three passes have three sets of patches; the same run gives the same."""
    boxes = []

    class Record(Hook):
        def before_train(self, runner):
            original = runner.model.sample_patches

            def sample_patches(image, sample, training):
                found = original(image, sample, training)
                boxes.append(found.xyxy.tobytes())
                return found

            runner.model.sample_patches = sample_patches

    cfg = by_iterations(small_config(tmp_path, images=1, **{'model.sampler.num_patches': 4}), 3)
    cfg.custom_hooks = [*cfg.custom_hooks, dict(type=Record)]
    train(cfg)
    assert len(boxes) == len(set(boxes)) == 3


def test_data_that_draw_by_the_pass_need_whole_passes(tmp_path, monkeypatch):
    """An InfiniteSampler with a bank's flips would depend on how far workers read ahead."""
    told = []
    monkeypatch.setattr(
        TinyData, 'set_epoch', lambda self, seed, epoch: told.append(epoch), raising=False
    )
    run(by_iterations(tiny_config(tmp_path), 9))
    assert told == [0, 1, 2]
    with pytest.raises(UserError, match=r'train_dataloader.sampler.type=DefaultSampler'):
        run(by_iterations(tiny_config(tmp_path), 9, 'InfiniteSampler'))


def test_a_pass_is_all_the_data_once(tmp_path):
    """Each pass in an order of its own; a skip leads to the same batches."""
    from mmengine.runner import Runner

    cfg = by_iterations(tiny_config(tmp_path), 9)

    def batches(skipped):
        loader = Runner.build_dataloader(cfg.train_dataloader, seed=0)
        found = PassIterator(loader, lambda number: None)
        found.skip_iter(skipped)
        return [[float(row[0]) for row in next(found)['inputs']] for _ in range(12 - skipped)]

    whole = batches(0)
    passes = [sum(whole[i : i + 4], []) for i in (0, 4, 8)]
    assert sorted(passes[0]) == sorted(passes[1]) == sorted(passes[2])
    assert len({tuple(each) for each in passes}) == 3
    assert batches(5) == whole[5:] and batches(8) == whole[8:]
