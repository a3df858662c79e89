"""Keys of the entries of a config that have no type: mmengine drops some unknown ones."""

import inspect
from typing import Any

from mmengine.runner import (
    EpochBasedTrainLoop,
    IterBasedTrainLoop,
    LogProcessor,
    Runner,
    TestLoop,
    ValLoop,
)
from torch.utils.data import DataLoader

from tcnn_mm.engine.config_keys import name_advice
from tcnn_mm.errors import UserError

# What a runner gives to its loops.
_GIVEN = {'self', 'runner', 'dataloader', 'evaluator', 'args', 'kwargs'}
# Read by mmengine when it builds a data loader, and from `env_cfg`.
_LOADER = {'num_batch_per_epoch'}
_ENV = {'cudnn_benchmark', 'mp_cfg', 'dist_cfg', 'resource_limit'}


def names_of(*kinds: Any) -> set[str]:
    """Names of the arguments of classes or functions that a config may give."""
    return {name for kind in kinds for name in inspect.signature(kind).parameters} - _GIVEN


def known_entries() -> dict[str, set[str]]:
    """Entry of a config → its keys, where it has no `type`."""
    loader = names_of(DataLoader) | _LOADER
    return {
        **{f'{split}_dataloader': loader for split in ('train', 'val', 'test')},
        'train_cfg': names_of(EpochBasedTrainLoop, IterBasedTrainLoop) | {'by_epoch'},
        'val_cfg': names_of(ValLoop),
        'test_cfg': names_of(TestLoop),
        'log_processor': names_of(LogProcessor),
        'randomness': names_of(Runner.set_randomness),
        'env_cfg': _ENV,
    }


def check_entries(cfg: Any) -> None:
    """Refuse keys that nothing reads in the data loaders, loops, log, environment and randomness.

    Raises:
        UserError: Names the key, e.g. `train_dataloader.bach_size`, and the nearest one.
    """
    for entry, known in known_entries().items():
        part = cfg.get(entry)
        if hasattr(part, 'items') and 'type' in part and 'by_epoch' in part and 'cfg' in entry:
            raise UserError(
                f'{entry}.by_epoch: chooses the loop, and {entry}.type={part["type"]!r} does too; '
                f'replace the entry: give {entry}._delete_=True before {entry}.type'
            )
        if hasattr(part, 'items') and 'type' not in part:
            for key in part:
                if key not in known and key != '_delete_':
                    raise UserError(f'{entry}.{key}: nothing reads it; {name_advice(key, known)}')
