"""Two processes (gloo) with EMA, accumulation and validation: killed, they resume bit-equal."""

import os
import signal
import socket
import traceback

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from tcnn_mm.checkpoints.loading import load_safely
from tcnn_mm.engine.distributed import prepare_processes
from tcnn_mm.engine.resume_state import GRADIENTS, OF_PROCESSES
from tests.support.runs import assert_same_state
from tests.support.time_limit import LONGEST
from tests.support.tiny_run import tiny_config

pytestmark = pytest.mark.skipif(not hasattr(os, 'fork'), reason='forks processes')
KEYS = ('state_dict', 'ema_state_dict', 'optimizer', 'param_schedulers', 'early_stopping')


def config(work_dir, processes, resume):
    """Three steps per epoch, an update every second one, over four epochs."""
    cfg = tiny_config(work_dir, epochs=4, max_keep_ckpts=-1, save_best='error', rule='less')
    cfg.train_dataloader.dataset.length = 12
    cfg.train_dataloader.batch_size = 4 // processes
    cfg.val_cfg, cfg.val_evaluator = dict(), dict(type='TinyTestError')
    cfg.val_dataloader = dict(
        batch_size=2,
        num_workers=0,
        dataset=dict(type='TinyTestData', length=5),
        sampler=dict(type='DefaultSampler', shuffle=False),
    )
    cfg.param_scheduler = [
        dict(type='OneCycleLR', eta_max=0.1, total_steps=12, by_epoch=False),
    ]
    cfg.optim_wrapper.accumulative_counts = 2
    cfg.custom_hooks += [
        dict(type='EMAHook', ema_type='ExponentialMovingAverage', momentum=0.1),
        dict(type='EarlyStoppingHook', monitor='error', rule='less', patience=9),
    ]
    cfg.resume = resume
    cfg.launcher = 'pytorch' if processes > 1 else 'none'
    return cfg


class Kill(Hook):
    """kill -9 after the checkpoint of an epoch, before its validation."""

    priority = 'LOWEST'

    def __init__(self, epoch):
        self.epoch = epoch

    def after_train_epoch(self, runner):
        if runner.epoch + 1 == self.epoch:
            os.kill(os.getpid(), signal.SIGKILL)


def train(work_dir, processes=2, resume=False, hook=None):
    """Train in that many processes; returns the signals that ended them (0: they ended well)."""
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = str(free.getsockname()[1])
    children = []
    for rank in range(processes):
        child = os.fork()
        if child == 0:
            signal.alarm(LONGEST)
            place = dict(RANK=rank, LOCAL_RANK=rank, WORLD_SIZE=processes, MASTER_PORT=port)
            os.environ.update({key: str(value) for key, value in place.items()})
            os.environ['MASTER_ADDR'] = '127.0.0.1'
            try:
                cfg = config(work_dir, processes, resume)
                prepare_processes(cfg)
                runner = Runner.from_cfg(cfg)
                if hook:
                    runner.register_hook(hook, priority=hook.priority)
                runner.train()
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        children.append(child)
    ends = [os.waitpid(child, 0)[1] for child in children]
    assert not any(map(os.WEXITSTATUS, ends)), 'a process failed'
    return [os.WTERMSIG(end) if os.WIFSIGNALED(end) else 0 for end in ends]


def state(work_dir, epoch=4):
    """What the checkpoint of an epoch holds."""
    return load_safely(work_dir / f'epoch_{epoch}.pth')


def best(work_dir):
    """Name and weights of the best checkpoint."""
    (path,) = work_dir.glob('best_*')
    return path.name, load_safely(path)['state_dict']


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    """The folder of an uninterrupted training."""
    folder = tmp_path_factory.mktemp('whole')
    assert train(folder) == [0, 0]
    return folder


@pytest.mark.parametrize('epoch', [1, 2, 3])
def test_two_killed_processes_resume_bit_equal(whole, tmp_path, epoch):
    """Weights, averages, momentum, schedule, the best checkpoint; gradients wait after 1 and 3."""
    assert train(tmp_path, hook=Kill(epoch)) == [signal.SIGKILL] * 2
    waiting = state(tmp_path, epoch).get(OF_PROCESSES, [])
    assert len(waiting) == (0 if epoch == 2 else 2)
    if waiting:
        assert not torch.equal(*(each['layer.weight'] for each in waiting))
    assert train(tmp_path, resume=True) == [0, 0]
    for key in KEYS:
        assert_same_state(state(tmp_path)[key], state(whole)[key])
    assert_same_state(best(tmp_path), best(whole))


def test_fewer_processes_go_on_with_the_average(tmp_path):
    """One process resumes from two: its next step has the average of the gradients that waited."""
    assert train(tmp_path, hook=Kill(1)) == [signal.SIGKILL] * 2
    waiting = state(tmp_path, 1)[OF_PROCESSES]

    class Compare(Hook):
        def before_train_epoch(self, runner):
            if runner.epoch == 1:
                for name, parameter in runner.model.named_parameters():
                    first, second = (each[name] for each in waiting)
                    assert torch.equal(parameter.grad, (first + second) / 2)

    assert train(tmp_path, processes=1, resume=True, hook=Compare()) == [0]
    assert GRADIENTS in state(tmp_path, 3)
