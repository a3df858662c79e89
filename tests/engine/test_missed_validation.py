"""A kill between a checkpoint and the end of its validation: the resumed run validates first.

The best checkpoint, the validations of the log, a schedule that reads them and early stopping are
then those of an uninterrupted run.
"""

import os
import signal
from pathlib import Path

import pytest
from mmengine.hooks import EarlyStoppingHook, Hook
from mmengine.runner import Runner

from tcnn_mm.checkpoints.loading import load_safely
from tcnn_mm.engine.missed_validation import validation_is_due
from tests.support.runs import assert_same_state
from tests.support.tiny_run import killed, last_state, tiny_config

needs_fork = pytest.mark.skipif(not hasattr(os, 'fork'), reason='kills a child process')
RULE = dict(rule='less')
LOADER = dict(
    batch_size=2,
    num_workers=0,
    dataset=dict(type='TinyTestData', length=5),
    sampler=dict(type='DefaultSampler', shuffle=False),
)
# Iterations per epoch of the training.
STEPS = 4


def config(work_dir, by_epoch=True, **train_cfg):
    """Eight epochs at most, validated; the rate falls when the error does not; ends after two."""
    cfg = tiny_config(work_dir, epochs=8, save_best='error', **RULE, by_epoch=by_epoch)
    cfg.val_cfg, cfg.val_dataloader = dict(), LOADER
    cfg.val_evaluator = dict(type='TinyTestError')
    cfg.optim_wrapper.optimizer.lr = 0.02
    cfg.param_scheduler = [
        dict(type='ReduceOnPlateauLR', monitor='error', patience=0, factor=0.9, **RULE)
    ]
    cfg.custom_hooks += [dict(type='EarlyStoppingHook', monitor='error', patience=2, **RULE)]
    if not by_epoch:
        cfg.default_hooks.checkpoint.interval = STEPS
        cfg.param_scheduler = None
        cfg.train_cfg = dict(by_epoch=False, max_iters=8 * STEPS, val_interval=STEPS)
    cfg.train_cfg.update(train_cfg)
    return cfg


def train(work_dir, hook=None, resume=False, **options):
    """Train, perhaps with one more hook; returns the runner."""
    cfg = config(work_dir, **options)
    cfg.resume = resume
    runner = Runner.from_cfg(cfg)
    if hook:
        runner.register_hook(hook, priority=hook.priority)
    runner.train()
    return runner


def outcome(runner):
    """What a training leaves: weights, momentum, files, and what its validations have changed."""
    folder, info = Path(runner.work_dir), runner.message_hub.runtime_info
    (best,) = folder.glob('best_*.pth')
    content = load_safely((folder / 'last_checkpoint').read_text())
    early = next(hook for hook in runner.hooks if isinstance(hook, EarlyStoppingHook))
    return dict(
        state=last_state(folder),
        schedule=content.get('param_schedulers'),
        files=sorted(path.name for path in folder.glob('*.pth*')),
        validations=runner.message_hub.get_scalar('val/error')._log_history.tolist(),
        best=[info['best_score'], os.path.basename(info['best_ckpt'])],
        best_weights=load_safely(best)['state_dict'],
        early_stopping=[early.wait_count, early.best_score, runner.train_loop.stop_training],
    )


@pytest.fixture(scope='module', params=[True, False], ids=['epochs', 'iterations'])
def by_epoch(request):
    """Whether the training counts epochs, or iterations."""
    return request.param


@pytest.fixture(scope='module')
def whole(by_epoch, tmp_path_factory):
    """Of an uninterrupted training: it ends after the fifth epoch, the third is the best."""
    result = outcome(train(tmp_path_factory.mktemp('whole'), by_epoch=by_epoch))
    best = 'epoch_3' if by_epoch else f'iter_{3 * STEPS}'
    assert len(result['validations']) == 5 and best in result['best'][1]
    assert result['early_stopping'][0::2] == [2, True]
    return result


class Kill(Hook):
    """kill -9 at the `turn`-th call of a hook's method, before or after the other hooks."""

    def __init__(self, point, turn, first=False):
        self.turn, self.count = turn, 0
        self.priority = 'HIGHEST' if first else 'LOWEST'
        setattr(self, point, self.call)

    def call(self, *arguments, **named):
        self.count += 1
        if self.count == self.turn:
            os.kill(os.getpid(), signal.SIGKILL)


MOMENTS = [
    ('before_val', False),
    ('after_val_iter', False),
    ('after_val_epoch', True),
    ('after_val_epoch', False),
    ('after_val', True),
    ('after_val', False),
]
# The third epoch is the best one, the fifth the last.
EPOCHS = [pytest.param(1, marks=pytest.mark.slow), pytest.param(2, marks=pytest.mark.slow), 3,
          pytest.param(4, marks=pytest.mark.slow), 5]  # fmt: skip


@needs_fork
@pytest.mark.parametrize('epoch', EPOCHS)
@pytest.mark.parametrize('point, first', MOMENTS)
def test_a_kill_around_a_validation(whole, by_epoch, tmp_path, point, first, epoch):
    """The resumed training leaves what an uninterrupted one leaves."""
    turn = epoch * 3 - 1 if point == 'after_val_iter' else epoch  # 3 batches each
    assert killed(lambda: train(tmp_path, Kill(point, turn, first), by_epoch=by_epoch))
    assert_same_state(outcome(train(tmp_path, resume=True, by_epoch=by_epoch)), whole)


@needs_fork
@pytest.mark.slow
@pytest.mark.parametrize('name', ['replace', 'remove'])
def test_a_kill_at_any_change_of_a_file(whole, by_epoch, tmp_path, monkeypatch, name):
    """The same, killed before each file that is renamed or removed."""
    turns, original = 0, getattr(os, name)
    while True:
        calls, folder = [], tmp_path / str(turns)

        def replacement(*arguments, calls=calls, turn=turns + 1, **named):
            calls.append(1)
            if len(calls) == turn:
                os.kill(os.getpid(), signal.SIGKILL)
            return original(*arguments, **named)

        with monkeypatch.context() as patch:
            patch.setattr(os, name, replacement)
            if not killed(lambda folder=folder: train(folder, by_epoch=by_epoch)):
                break
        turns += 1
        assert_same_state(outcome(train(folder, resume=True, by_epoch=by_epoch)), whole)
    # Checkpoints and last_checkpoint of 5 epochs, of the new best ones, and these; then the old.
    assert turns >= (12 if name == 'replace' else 5)


def test_what_was_validated_is_not_validated_again(tmp_path, by_epoch):
    """Of the best checkpoint so far, which records its validation: the resumed run goes on."""
    options = dict(max_epochs=3) if by_epoch else dict(max_iters=3 * STEPS)
    train(tmp_path, by_epoch=by_epoch, **options)
    runner = train(tmp_path, resume=True, by_epoch=by_epoch, **options)
    assert len(runner.message_hub.get_scalar('val/error')._log_history) == 3
    log = next(Path(runner.work_dir).glob(f'{runner.timestamp}/*.log')).read_text()
    assert 'validating first' not in log


def test_early_stopping_that_has_stopped_stops_again(tmp_path):
    """At its threshold, at the best checkpoint; with another threshold the training goes on."""

    def run(threshold, resume):
        cfg = config(tmp_path)
        cfg.custom_hooks[-1].stopping_threshold = threshold
        cfg.resume = resume
        runner = Runner.from_cfg(cfg)
        runner.train()
        return runner.epoch

    assert run(0.2, False) == 3
    assert run(0.2, True) == 3
    assert run(0.1, True) == 5


@pytest.mark.parametrize(
    'options, due',
    [
        (dict(val_interval=2), {2, 4, 6, 7}),
        (dict(val_begin=3, val_interval=2), {4, 6, 7}),
        (dict(val_interval=3, dynamic_intervals=[(5, 2)]), {3, 4, 6, 7}),
        (dict(val_interval=100), {7}),
    ],
)
def test_validations_are_due_where_mmengine_makes_them(tmp_path, options, due, by_epoch):
    """Intervals, dynamic ones, the first and the last step: asked before, they agree."""
    last = dict(max_epochs=7) if by_epoch else dict(max_iters=7)
    cfg = config(tmp_path, by_epoch=by_epoch, **last)
    cfg.train_cfg.pop('val_interval', None)
    cfg.train_cfg.update(options)
    cfg.custom_hooks, cfg.param_scheduler = cfg.custom_hooks[:1], None
    runner, found = Runner.from_cfg(cfg), dict(due=[], made=[])

    class Ask(Hook):
        priority = 'LOWEST'

        def before_val(self, runner):
            found['made'].append(step(runner))

        def before_train_iter(self, runner, batch_idx, data_batch=None):
            if (by_epoch and batch_idx) or not step(runner):
                return
            if validation_is_due(runner):
                found['due'].append(step(runner))

        def after_train(self, runner):
            self.before_train_iter(runner, 0)

    def step(runner):
        return runner.epoch if by_epoch else runner.iter

    runner.register_hook(Ask(), priority='LOWEST')
    runner.train()
    assert set(found['due']) == set(found['made']) == due
