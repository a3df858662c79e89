"""Refuse keys of a config that nothing reads: mmengine ignores them at the top level."""

import ast
import difflib
import inspect
import os.path as osp
from collections.abc import Iterable

from mmengine.config import Config
from mmengine.runner import Runner

from tcnn_mm.errors import UserError

# Read by mmengine from the whole config, by mmpretrain's tools, or by this package.
_OTHERS = (
    'activation_checkpointing', 'allowed_differences', 'command', 'compile', 'custom_imports',
    'cross_validation', 'decisions', 'fit_options',
    'efficient_conv_bn_eval', 'find_unused_parameters', 'model_wrapper_cfg', 'runner_type',
    'server', 'sync_bn', 'tta_model', 'tta_pipeline',
)  # fmt: skip
# Of other tools, and of mmengine's forerunner.
_SAID_ELSEWHERE = {
    'seed': 'randomness.seed',
    'optimizer': 'optim_wrapper.optimizer',
    'lr': 'optim_wrapper.optimizer.lr',
    'lr_config': 'param_scheduler',
    'batch_size': 'train_dataloader.batch_size',
    'epochs': 'train_cfg.max_epochs',
    'max_epochs': 'train_cfg.max_epochs',
    'total_epochs': 'train_cfg.max_epochs',
    'runner': 'train_cfg',
    'evaluation': 'val_evaluator',
    'checkpoint_config': 'default_hooks.checkpoint',
    'log_config': 'default_hooks.logger',
    'resume_from': 'resume',
    'data': 'train_dataloader',
}
# As similar as `train_dataloder` and `train_dataloader`; `train_pipeline` is less.
_SIMILAR = 0.85


def top_level_keys() -> set[str]:
    """Keys of a config that are read."""
    return {*inspect.signature(Runner.__init__).parameters, *_OTHERS} - {'self', 'cfg'}


def nearest(name: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The most similar of the known names, if one is similar."""
    found = difflib.get_close_matches(name, sorted(known), 1, cutoff)
    return found[0] if found else None


def name_advice(name: str, known: Iterable[str], most: int | None = None) -> str:
    """Advice for an unknown name: the most similar known one, else which there are.

    Args:
        name: Unknown.
        known: What may be given.
        most: How many names are listed. Defaults to None: all.
    """
    names = sorted(known)
    match = nearest(name, names)
    if match:
        return f'nearest: {match}'
    listed = ', '.join(names[:most]) + (', …' if most and len(names) > most else '')
    return f'it has {listed}' if names else 'it takes none'


def check_keys(cfg: Config, path: str, options: Iterable[str] = ()) -> None:
    """Refuse a top-level key that nothing reads, in a config and in its overrides.

    A config may hold variables. One with `_base_` is refused a variable that it sets and never
    reads: it changes nothing, also where a base has one of that name. Code that a config imports
    (`custom_imports`) may read any key.

    Args:
        cfg: The config, merged.
        path: Its file.
        options: Keys of `--cfg-options`, e.g. 'model.head.dropout'.

    Raises:
        UserError: Names the key and the nearest one that is read.
    """
    known = top_level_keys()
    for key in cfg:
        match = nearest(key, known, _SIMILAR) if key not in known else None
        if match:
            raise UserError(f'{path}: {key} is no key of a config; nearest: {match}')
    if cfg.get('custom_imports'):
        return
    for option in options:
        name = option.partition('.')[0]
        if name not in known:
            raise UserError(f'--cfg-options {option}: nothing reads {name}; {_advice(name, known)}')
    for name in unread_names(path):
        if name not in known:
            raise UserError(
                f'{path}: {name} is set, and nothing reads it; {_advice(name, known)}; a variable '
                'of a base changes nothing: set the entries that were made from it'
            )


def unread_names(path: str) -> list[str]:
    """Variables that a Python config with bases sets and does not read, in order."""
    if osp.splitext(path)[1] != '.py':
        return []
    with open(path, encoding='utf-8') as file:
        # `{{_base_.x}}` is mmengine's; as an expression it reads `_base_`.
        tree = ast.parse(file.read().replace('{{', '((').replace('}}', '))'))
    names = [
        target.id
        for line in tree.body
        if isinstance(line, (ast.Assign, ast.AnnAssign))
        for target in (line.targets if isinstance(line, ast.Assign) else [line.target])
        if isinstance(target, ast.Name)
    ]
    bases = [line for line in tree.body if isinstance(line, ast.With)]  # with read_base():
    if '_base_' not in names and not bases:
        return []
    read = {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    return [name for name in dict.fromkeys(names) if name[0] != '_' and name not in read]


def _advice(name: str, known: Iterable[str]) -> str:
    match = _SAID_ELSEWHERE.get(name) or nearest(name, known)
    return f'did you mean {match}?' if match else f'keys that are read: {", ".join(sorted(known))}'
