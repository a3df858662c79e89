"""Read an experiment's config: folders, overrides, work dir, processes."""

import copy
import os
import os.path as osp
import shlex
import sys
from collections.abc import Iterable
from typing import Any

from mmengine.config import Config
from mmengine.hooks import CheckpointHook
from mmengine.registry import init_default_scope

import tcnn_mm  # noqa: F401  (lets configs inherit `tcnn_mm::…`)
from tcnn_mm.bundled_configs import find_config
from tcnn_mm.checkpoints.loading import install_safe_loader
from tcnn_mm.compat import config_dict, parse_option_value
from tcnn_mm.datasets.image_ids import is_encodable, printable
from tcnn_mm.engine.config_entries import check_entries
from tcnn_mm.engine.config_keys import check_keys
from tcnn_mm.engine.config_metrics import check_prefixes
from tcnn_mm.engine.config_parts import check_parts
from tcnn_mm.engine.data_folders import resolve_folders
from tcnn_mm.engine.distributed import prepare_processes
from tcnn_mm.engine.read_config import read_config
from tcnn_mm.errors import UserError
from tcnn_mm.registry import HOOKS

# Hooks that stop a run instead of a wrong figure.
GUARDS = ('tcnn_mm.StrictCheckpointHook', 'tcnn_mm.CheckFiniteHook')


def load_config(
    config: str,
    *,
    work_dir: str | None = None,
    cfg_options: Iterable[str] | None = None,
    server: bool = False,
    launcher: str = 'none',
    local_rank: int = 0,
    trust_checkpoint: bool = False,
) -> Config:
    """Read a config with its overrides and work dir; join the process group of its launcher.

    Sets TCNN_DATA and TCNN_WEIGHTS (to absolute paths), LOCAL_RANK, mmengine's default scope and
    the loader of checkpoints for the whole process.

    Args:
        config: A file, or the name of a bundled config.
        work_dir: Defaults to the config's own, else `work_dirs/NAME`.
        cfg_options: Overrides, `KEY=VALUE` each.
        server: Apply the config's `server` part: train on all that is annotated, test what is
            secret.
        launcher: 'none', 'pytorch', 'slurm' or 'mpi'.
        local_rank: Used where the launcher sets no LOCAL_RANK.
        trust_checkpoint: Unpickle checkpoints fully.

    Raises:
        UserError: No such config; `server` of one that has no such part; a wrong override; a key
            that nothing reads; arguments of our parts that are unknown or of a wrong type.
    """
    resolve_folders()
    path = find_config(config)
    if 'LOCAL_RANK' not in os.environ:
        os.environ['LOCAL_RANK'] = str(local_rank)
    cfg = read_config(path)
    drop_own_scope(config_dict(cfg))
    suffix = ''
    if server:
        if not cfg.get('server'):
            raise UserError(f'--server: {config} has no `server` part, as those of VOC2012')
        cfg.merge_from_dict(copy.deepcopy(cfg.server))
        suffix = '_server'
    options = parse_options(cfg_options or ())
    check_keys(cfg, path, options)
    override(cfg, options)
    check_parts(cfg)
    check_entries(cfg)
    check_prefixes(cfg)
    if not work_dir and 'work_dir' not in options:
        refuse_copied_run(cfg, path)
    cfg.launcher = launcher
    # The work dir's config, and every checkpoint with it, says how it was made.
    cfg.command = typed_command(sys.argv)
    if work_dir:
        cfg.work_dir = work_dir
    elif cfg.get('work_dir') is None:
        name = osp.splitext(osp.basename(path))[0]
        # Another training set: its checkpoints stay apart.
        cfg.work_dir = osp.join('work_dirs', name + suffix)
    if not is_encodable(cfg.work_dir):
        raise UserError(
            f'--work-dir {printable(cfg.work_dir)}: not UTF-8, and configs and logs hold it as '
            'text; give another folder'
        )
    use_atomic_checkpoints(cfg)
    add_hooks(cfg)
    fit_workers(cfg)
    init_default_scope(cfg.get('default_scope', 'mmengine'))
    prepare_processes(cfg)
    install_safe_loader(trust_checkpoint)
    return cfg


def refuse_copied_run(cfg: Config, path: str) -> None:
    """Refuse a run's config whose work dir is not its own folder: a copy would write there.

    Args:
        cfg: Of a run, which adds `command` to the config in its work dir, or of `tcnn fit`, which
            has `decisions`; others pass.
        path: Its file.

    Raises:
        UserError: Names both folders and the command for each.
    """
    recorded, folder = cfg.get('work_dir'), osp.dirname(osp.abspath(path))
    if cfg.get('command') is None:
        if cfg.get('decisions') is None or osp.basename(path) != 'config.py':
            return
        folder = osp.join(folder, osp.basename(recorded or 'run'))
    if recorded and osp.realpath(recorded) != osp.realpath(folder):
        raise UserError(
            f'{printable(path)}: the config of a run in {printable(recorded)}, copied or moved, or '
            'read from another current folder; say which folder it writes into: '
            f'tcnn train {shlex.quote(path)} --work-dir {shlex.quote(folder)}; or '
            f'tcnn train {shlex.quote(path)} --work-dir {shlex.quote(recorded)}'
        )


def use_atomic_checkpoints(cfg: Config) -> None:
    """Put `AtomicCheckpointHook` in the place of mmengine's `CheckpointHook`, in place.

    A hook of another type, and `checkpoint=None`, stay.
    """
    hooks = dict(cfg.get('default_hooks') or {})
    hook = hooks.get('checkpoint', dict(type='CheckpointHook', interval=1))  # mmengine's default
    if hook and hook.get('type') in ('CheckpointHook', 'mmengine.CheckpointHook', CheckpointHook):
        hooks['checkpoint'] = dict(hook, type='tcnn_mm.AtomicCheckpointHook')
        cfg.default_hooks = hooks


def add_hooks(cfg: Config) -> None:
    """Add the hooks that guard any training and test, where the config has them not; in place."""
    hooks = list(cfg.get('custom_hooks') or [])
    for name in GUARDS:
        kind = HOOKS.get(name)
        if not any(
            hook.get('type') in (name, kind) if isinstance(hook, dict) else isinstance(hook, kind)
            for hook in hooks
        ):
            hooks.append(dict(type=name))
    cfg.custom_hooks = hooks


def fit_workers(cfg: Config) -> None:
    """Leave out what a data loader without workers refuses, in place: torch raises a ValueError."""
    for split in ('train', 'val', 'test'):
        loader = cfg.get(f'{split}_dataloader')
        if loader and not loader.get('num_workers', 0):
            loader.persistent_workers = False
            loader.pop('prefetch_factor', None)


def typed_command(argv: list[str]) -> str:
    """The command of this process as a user would type it again."""
    name = osp.splitext(osp.basename(argv[0]))[0]
    words = ['tcnn', *argv[1:]] if name == 'tcnn' else ['python', *argv]
    return printable(shlex.join(words))


def drop_own_scope(part: Any) -> None:
    """Remove the `_scope_` that inheriting `tcnn_mm::…` adds: our types have prefixes.

    With it mmengine warns at each of its own samplers, optimizers and schedules.
    """
    values = part.values() if isinstance(part, dict) else part
    if isinstance(part, dict) and part.get('_scope_') == 'tcnn_mm':
        part.pop('_scope_')
    for value in list(values):
        if isinstance(value, (dict, list, tuple)):
            drop_own_scope(value)


def override(cfg: Config, options: dict[str, Any]) -> None:
    """Set entries of a config by their dotted keys, in place.

    Raises:
        UserError: A key inside an entry that is no dict, or behind the end of a list.
    """
    for key, value in options.items():
        try:
            cfg.merge_from_dict({key: value})
        except (TypeError, KeyError, IndexError) as error:
            reason = str(error.args[0] if error.args else error)
            raise UserError(
                f'--cfg-options {key}: an entry above it is None, a value or a shorter list in '
                f'this config, and takes no key ({reason[:200]})'
            ) from error


def parse_options(pairs: Iterable[str]) -> dict[str, Any]:
    """`KEY=VALUE` strings → dict, with mmengine's rules for lists and numbers.

    Raises:
        UserError: No `=`, or a value that mmengine cannot read.
    """
    options = {}
    for pair in pairs:
        key, equals, value = pair.partition('=')
        if not equals:
            raise UserError(f'--cfg-options {pair}: write KEY=VALUE')
        try:
            options[key] = parse_option_value(value)
        except ValueError:
            raise UserError(
                f'--cfg-options {pair}: the value is no number, word or list of them; '
                f'dicts are set key by key: {key}.type=… {key}.KEY=VALUE'
            ) from None
    return options
