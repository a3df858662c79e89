"""torchrun, a rank or a worker is ended: the others end, say why, and the same command goes on."""

import os
import signal
import sys
import time

import numpy as np
import psutil
import pytest

from tcnn_mm.checkpoints.loading import load_safely
from tests.support.runs import CONFIGS, assert_same_state
from tests.support.time_limit import LONGEST
from tests.support.tool_module import tool_path
from tests.test_distributed import free_port

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, 'fork'), reason='needs torchrun with gloo, and signals'),
]
EPOCHS = 6
# Two processes with one worker each; a checkpoint per epoch.
TRAINING = [
    f'train_cfg.max_epochs={EPOCHS}', 'param_scheduler.milestones=[1]', 'log_level=WARNING',
    'train_dataloader.dataset.indices=8', 'train_dataloader.batch_size=2',
    'model.sampler.grid.scales=[1.0,2.0]', 'default_hooks.checkpoint.interval=1',
    'default_hooks.checkpoint.max_keep_ckpts=-1',
]  # fmt: skip
BANK = """
_base_ = {base!r}
train_dataloader = dict(num_workers=0, persistent_workers=False, dataset=dict(
    _delete_=True, type='tcnn_mm.FeatureBank', bank='bank', flips=True,
    source=dict(type='tcnn_mm.MiniVOC', split='train', indices=40,
                pipeline={{{{_base_.pipeline}}}})))
"""
PROCESSES = ['launcher', 'first rank', 'second rank', 'first worker', 'second worker']
VICTIMS = [(victim, how) for victim in PROCESSES for how in ('SIGKILL', 'SIGTERM')]


class Launched:
    """Two processes of a script under torchrun; what they print is in a file."""

    def __init__(self, folder, script, *arguments):
        self.log = folder / f'{time.monotonic_ns()}.log'
        self.script = script
        with open(self.log, 'w') as output:
            self.launcher = psutil.Popen(
                [sys.executable, '-m', 'torch.distributed.run', '--nproc_per_node=2',
                 f'--master_port={free_port()}', tool_path(script), *map(str, arguments)],
                cwd=folder, stdout=output, stderr=output,
                env={**os.environ, 'OMP_NUM_THREADS': '1'},
            )  # fmt: skip

    def wait(self):
        """Wait for a good end."""
        assert self.launcher.wait(LONGEST) == 0, self.log.read_text()[-3000:]

    def end(self, victim, how, begun):
        """Send a signal to one of the processes when `begun` holds; returns what they printed.

        All of them have ended then.
        """
        try:
            deadline = time.monotonic() + LONGEST
            while not begun():
                assert self.launcher.poll() is None and time.monotonic() < deadline
                time.sleep(0.02)
            below = self.launcher.children(recursive=True)
            ranks = [one for one in self.launcher.children() if one.environ().get('RANK')]
            ranks.sort(key=lambda one: int(one.environ()['RANK']))
            workers = [one for rank in ranks for one in rank.children()]
            chosen = {
                'launcher': [self.launcher],
                'first rank': ranks[:1],
                'second rank': ranks[1:],
                'first worker': workers[:1],
                'second worker': workers[1:],
            }[victim]
            assert len(ranks) == len(workers) == 2 and len(chosen) == 1
            chosen[0].send_signal(getattr(signal, how))
            _, alive = psutil.wait_procs(below, timeout=LONGEST)
            assert alive == []
            assert self.launcher.wait(LONGEST) != 0
        finally:
            if self.launcher.poll() is None:
                for left in [*self.launcher.children(recursive=True), self.launcher]:
                    left.kill()
        return self.log.read_text()


def assert_reason(victim, how, log):
    """A killed launcher says nothing; otherwise who has ended, in one line."""
    if victim == 'launcher':
        assert how == 'SIGKILL' or 'SIGTERM' in log
        return
    assert f'({how})' in log or 'error: process ' in log
    if 'worker' in victim:
        words = 'memory is short' if how == 'SIGKILL' else r'(Terminated)'
        # torch tells the signal where it hears of it before it misses the process.
        assert words in log or 'has ended, as where memory is short' in log
        assert 'Give the same command again' in log
        if 'train.py' in log:
            assert 'same command again' not in log.replace('same command again with --resume', '')
    for line in log.splitlines():
        # Of torchrun's own report there is a traceback, of ours none.
        assert not line.startswith('[rank'), line


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    """The folder of an undisturbed training and bank."""
    folder = tmp_path_factory.mktemp('whole')
    train(folder).wait()
    make_bank(folder).wait()
    return folder


def train(folder, *more):
    """Start a training of two processes in a folder."""
    config = os.path.join(CONFIGS, 'tcnn_minivoc.py')
    arguments = [config, '--work-dir', 'run', '--launcher', 'pytorch', *more]
    return Launched(folder, 'train.py', *arguments, '--cfg-options', *TRAINING)


def make_bank(folder):
    """Start two processes that make a bank."""
    base = os.path.join(CONFIGS, '_base_', 'experiments', 'tcnn_minivoc.py')
    (folder / 'bank.py').write_text(BANK.format(base=base))
    return Launched(folder, 'extract_features.py', 'bank.py', '--launcher', 'pytorch')


@pytest.mark.parametrize('victim, how', VICTIMS)
def test_of_a_training(whole, tmp_path, victim, how):
    """Ended after the second of six epochs, resumed: weights and momentum are bit-equal."""
    checkpoint = tmp_path / 'run' / 'epoch_2.pth'
    log = train(tmp_path).end(victim, how, checkpoint.exists)
    assert_reason(victim, how, log)
    assert not (tmp_path / 'run' / f'epoch_{EPOCHS}.pth').exists()
    train(tmp_path, '--resume').wait()
    ends = [load_safely(folder / 'run' / f'epoch_{EPOCHS}.pth') for folder in (tmp_path, whole)]
    for key in ('state_dict', 'optimizer', 'param_schedulers'):
        assert_same_state(*(content[key] for content in ends))
    assert not list((tmp_path / 'run').glob('*.tmp*'))


@pytest.mark.parametrize('victim, how', VICTIMS)
def test_of_a_bank(whole, tmp_path, victim, how):
    """Ended with a few images done: the same command makes the same files, and no others."""

    def begun():
        done = tmp_path / 'bank.part' / 'done.u8'
        return done.is_file() and 0 < np.fromfile(done, np.uint8).sum() < 30

    log = make_bank(tmp_path).end(victim, how, begun)
    assert_reason(victim, how, log)
    assert not (tmp_path / 'bank').exists()
    make_bank(tmp_path).wait()
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix != '.log') == [
        'bank', 'bank.py',
    ]  # fmt: skip
    files = [path.name for path in (whole / 'bank').iterdir()]
    assert sorted(path.name for path in (tmp_path / 'bank').iterdir()) == sorted(files)
    for name in files:
        if name == 'rows.npz':
            one, two = (np.load(folder / 'bank' / name) for folder in (whole, tmp_path))
            assert all(np.array_equal(one[key], two[key]) for key in one)
        else:
            assert (whole / 'bank' / name).read_bytes() == (tmp_path / 'bank' / name).read_bytes()
