"""A Runner on a linear layer and random numbers: a training of a few hundredths of a second."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.evaluator import BaseMetric
from mmengine.model import BaseModel
from mmengine.registry import DATASETS, METRICS, MODELS, init_default_scope
from mmengine.runner import Runner

from tcnn_mm.checkpoints.loading import load_safely
from tests.support.time_limit import LONGEST


@DATASETS.register_module(name='TinyTestData')
class TinyData(torch.utils.data.Dataset):
    """Rows of 4 numbers and a target; the same for the same length."""

    metainfo = dict(classes=('a', 'b'))

    def __init__(self, length: int = 8):
        self.rows = torch.randn(length, 5, generator=torch.Generator().manual_seed(0))

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return dict(inputs=self.rows[index, :4], data_samples=self.rows[index, 4:])


@MODELS.register_module(name='TinyTestModel')
class TinyModel(BaseModel):
    """A linear layer with dropout, so that randomness counts."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.epochs = torch.nn.Linear(4, 1), []

    def set_epoch(self, seed: int, epoch: int) -> None:
        """Record the epochs that EpochSeedHook tells."""
        self.epochs.append(epoch)

    def forward(self, inputs: Any, data_samples: Any, mode: str = 'tensor') -> Any:
        """The squared error, or that of each row."""
        x = torch.nn.functional.dropout(torch.stack(list(inputs)), 0.5, self.training)
        errors = (self.layer(x) - torch.stack(list(data_samples))) ** 2
        return (
            [dict(error=float(e)) for e in errors]
            if mode == 'predict'
            else dict(loss=errors.mean())
        )


@METRICS.register_module(name='TinyTestError')
class TinyError(BaseMetric):
    """The mean squared error."""

    def process(self, data_batch: Any, data_samples: Any) -> None:
        """Collect."""
        self.results += [sample['error'] for sample in data_samples]

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Average."""
        return dict(error=sum(results) / len(results))


def tiny_config(work_dir: Path, epochs: int = 3, hooks: tuple = (), **checkpoint: Any) -> Config:
    """Config of a training; `checkpoint` are arguments of its AtomicCheckpointHook."""
    init_default_scope('mmengine')
    hook = dict(type='tcnn_mm.AtomicCheckpointHook', interval=1, max_keep_ckpts=1)
    return Config(
        dict(
            model=dict(type='TinyTestModel'),
            work_dir=str(work_dir),
            experiment_name=f'{Path(work_dir).name}_{id(hook)}',
            train_dataloader=dict(
                batch_size=2,
                num_workers=0,
                dataset=dict(type='TinyTestData'),
                sampler=dict(type='DefaultSampler', shuffle=True),
            ),
            train_cfg=dict(by_epoch=True, max_epochs=epochs),
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.05, momentum=0.9)),
            default_hooks=dict(checkpoint={**hook, **checkpoint}, logger=None),
            custom_hooks=[dict(type='tcnn_mm.EpochSeedHook'), *hooks],
            randomness=dict(seed=0),
            log_level='WARNING',
        )
    )


def train_tiny(work_dir: Path, resume: bool | str = False, **options: Any) -> Runner:
    """Train it; `resume=True` from the work dir, a string from that file."""
    cfg = tiny_config(work_dir, **options)
    cfg.resume, cfg.load_from = bool(resume), resume if isinstance(resume, str) else None
    runner = Runner.from_cfg(cfg)
    runner.train()
    return runner


def last_state(work_dir: Path) -> dict[str, Any]:
    """Weights, momentum and progress in the checkpoint that `last_checkpoint` names."""
    content = load_safely((Path(work_dir) / 'last_checkpoint').read_text())
    meta = content['meta']
    return dict(
        weights=content['state_dict'],
        optimizer=content['optimizer'],
        progress=[meta['epoch'], meta['iter']],
    )


def killed(work: Callable[[], object]) -> bool:
    """Whether `work`, run in a process of its own, ended by SIGKILL; another failure raises."""
    child = os.fork()
    if child == 0:
        signal.alarm(LONGEST)  # a child that hangs fails its test
        try:
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0, 'the work failed before it was killed'
    return False
