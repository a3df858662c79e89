"""Config, feature banks and training of a planned fit; each step leaves files.

A step whose files exist is not done again: an interrupted fit goes on where it was.
"""

import os
import os.path as osp
import uuid

from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.logging import MMLogger
from mmengine.runner import Runner

from tcnn_mm.checkpoints.atomic_write import atomic_write
from tcnn_mm.checkpoints.resuming import why_not_whole
from tcnn_mm.datasets.image_ids import is_encodable, printable
from tcnn_mm.engine.build_bank import bank_model, build_bank
from tcnn_mm.engine.load_config import load_config
from tcnn_mm.engine.open_runner import open_runner
from tcnn_mm.engine.progress import progress_bar
from tcnn_mm.errors import UserError
from tcnn_mm.estimator.begun_fit import check_same_config, write_lists
from tcnn_mm.estimator.fit_config import config_text
from tcnn_mm.estimator.plan import FitPlan


def tell(text: str) -> None:
    """Log a line of a fit, also after a Runner: the current logger is then the Runner's, whose
    level drops it.
    """
    MMLogger.get_instance('mmengine').info(text)


def write_config(plan: FitPlan) -> str:
    """Write OUT/config.py and the lists of ids, unless the same are there; returns its path.

    Raises:
        UserError: A config of other settings or lists of other images are there; a path that is
            not UTF-8.
    """
    path, text = osp.join(plan.out, 'config.py'), config_text(plan)
    lists = osp.join(plan.out, 'splits')
    if not is_encodable(text):
        raise UserError(
            f'{printable(path)}: the path of --out, of the data or of the weights is not UTF-8, '
            'and this config holds it as text; rename the folder, or link to it: ln -s'
        )
    if osp.isfile(path):
        check_same_config(path, text)
        write_lists(lists, plan.data.ids)
        tell(f'{path} exists: continuing')
        return path
    os.makedirs(plan.out, exist_ok=True)
    write_lists(lists, plan.data.ids)
    with atomic_write(path) as file:
        file.write(text)
    tell(f'wrote {path}')
    return path


def read_config(path: str) -> Config:
    """Read the written config as `tcnn train` does, without the toolbox's long log."""
    cfg = load_config(path)
    cfg.log_level = 'WARNING'
    return cfg


def make_banks(path: str, plan: FitPlan) -> None:
    """Compute the features of all patches of each part, unless they exist.

    Raises:
        UserError: Images were replaced since the features were computed.
    """
    cfg = read_config(path)
    advice = f'give another --out, or remove {plan.out} to begin anew'
    model = bank_model(cfg)
    for role, count in plan.data.counts.items():
        tell(f'{role}: {count} images')
        earlier = osp.join(plan.earlier, 'banks', role) if plan.earlier else None
        build_bank(cfg, cfg[f'{role}_dataloader'].dataset, advice, model, earlier)


class EpochBar(Hook):
    """Shows the epochs done, the loss and the time left."""

    def before_train(self, runner: Runner) -> None:
        """Start at the epoch of a resumed run."""
        self.bar = progress_bar(runner.max_epochs, 'epoch')
        self.bar.update(runner.epoch)

    def after_train_epoch(self, runner: Runner) -> None:
        """Advance by one."""
        loss = runner.message_hub.get_scalar('train/loss').mean()
        self.bar.set_postfix_str(f'loss {loss:.3f}', refresh=False)
        self.bar.update()

    def after_train(self, runner: Runner) -> None:
        """Close the bar."""
        self.bar.close()


def train(path: str, log_level: str = 'WARNING') -> str:
    """Train the config, or resume its training; returns the path of the last checkpoint."""
    cfg = read_config(path)
    cfg.log_level = log_level
    return train_config(cfg)


def last_checkpoint(cfg: Config, work_dir: str | None = None) -> str:
    """Path of the checkpoint that a training ends with, in `work_dir` or its own one."""
    return osp.join(work_dir or cfg.work_dir, f'epoch_{cfg.train_cfg.max_epochs}.pth')


def train_config(cfg: Config) -> str:
    """:func:`train` of a config that was read."""
    last = last_checkpoint(cfg)
    validated = osp.join(cfg.work_dir, 'image_scores_val.csv')
    done = cfg.val_dataloader is None or osp.isfile(validated)
    if done and why_not_whole(last) is None:
        tell(f'{last} exists: trained')
        return last
    cfg.resume = True
    cfg.experiment_name = unique_name('fit_train')
    with open_runner(cfg) as runner:
        runner.register_hook(EpochBar(), priority='LOWEST')
        runner.train()  # also the validation alone, if the run before ended in it
    return last


def unique_name(prefix: str) -> str:
    """An experiment name that no other run of this process has, nor one of the same second."""
    return f'{prefix}_{os.getpid()}_{uuid.uuid4().hex[:8]}'
