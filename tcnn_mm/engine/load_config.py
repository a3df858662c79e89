"""An experiment's config as the commands read it: folders, overrides, work dir, processes."""

import copy
import os
import os.path as osp
import shlex
import sys

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

import tcnn_mm  # noqa: F401  (lets configs inherit `tcnn_mm::…`)
from tcnn_mm.checkpoints.loading import install_safe_loader
from tcnn_mm.engine.distributed import prepare_processes
from tcnn_mm.errors import UserError

FOLDERS = (('TCNN_DATA', 'data'), ('TCNN_WEIGHTS', 'checkpoints'))


def resolve_folders():
    """Make TCNN_DATA and TCNN_WEIGHTS absolute paths before a config is read.

    An unset variable becomes the default folder below the current one.
    """
    for name, default in FOLDERS:
        value = os.environ.get(name, default)
        if not value.strip():
            raise UserError(f'{name} is set but empty: export {name}=DIR, or unset {name}')
        os.environ[name] = osp.abspath(osp.expanduser(value))


def load_config(args):
    """Read the config of the command line, with its overrides and work dir.

    Raises:
        UserError: No such config; `--server` of one that has no such part.
    """
    resolve_folders()
    if not osp.isfile(args.config):
        raise UserError(
            f'no config: {args.config}\nlooked for {osp.abspath(args.config)}\n'
            f'give a file, e.g. configs/tcnn_minivoc.py'
        )
    if 'LOCAL_RANK' not in os.environ:
        os.environ['LOCAL_RANK'] = str(args.local_rank)
    cfg = Config.fromfile(args.config)
    drop_own_scope(cfg._cfg_dict)
    suffix = ''
    if args.server:
        if not cfg.get('server'):
            raise UserError(f'--server: {args.config} has no `server` part, as those of VOC2012')
        cfg.merge_from_dict(copy.deepcopy(cfg.server))
        suffix = '_server'
    if args.cfg_options:
        cfg.merge_from_dict(parse_options(args.cfg_options))
    cfg.launcher = args.launcher
    # The work dir's config, and every checkpoint with it, says how it was made.
    cfg.command = shlex.join(['python', *sys.argv])
    if args.work_dir:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        name = osp.splitext(osp.basename(args.config))[0]
        # Another training set: its checkpoints stay apart.
        cfg.work_dir = osp.join('work_dirs', name + suffix)
    init_default_scope(cfg.get('default_scope', 'mmengine'))
    prepare_processes(cfg)
    install_safe_loader(args.trust_checkpoint)
    return cfg


def drop_own_scope(part):
    """Take out the `_scope_` that inheriting `tcnn_mm::…` adds: our types have prefixes.

    With it mmengine warns at each of its own samplers, optimizers and schedules.
    """
    values = part.values() if isinstance(part, dict) else part
    if isinstance(part, dict) and part.get('_scope_') == 'tcnn_mm':
        part.pop('_scope_')
    for value in list(values):
        if isinstance(value, (dict, list, tuple)):
            drop_own_scope(value)


def parse_options(pairs):
    """`KEY=VALUE` strings → dict, with mmengine's rules for lists and numbers."""
    from mmengine.config import DictAction

    options = {}
    for pair in pairs:
        key, equals, value = pair.partition('=')
        if not equals:
            raise UserError(f'--cfg-options {pair}: write KEY=VALUE')
        try:
            options[key] = DictAction._parse_iterable(value)
        except (AssertionError, RecursionError):  # what mmengine's reader of lists ends in
            raise UserError(
                f'--cfg-options {pair}: the value is no number, word or list of them; '
                f'dicts are set key by key: {key}.type=… {key}.KEY=VALUE'
            ) from None
    return options


def use_amp(cfg):
    """bfloat16 for the frozen layers; on a GPU the toolbox's mixed precision for what trains.

    mmengine's AmpOptimWrapper refuses a machine without GPU. What a processor without bfloat16
    instructions does is `FrozenCopy`'s to say.

    Raises:
        UserError: Without a GPU, a model of the toolbox's own: it has no frozen layers to cast.
    """
    ours = str(cfg.model.type).endswith('PatchClassifier')
    if ours:
        cfg.model.frozen_dtype = 'bfloat16'
    elif not torch.cuda.is_available():
        raise UserError(f'--amp: {cfg.model.type} needs a GPU for it; leave --amp out here')
    if torch.cuda.is_available() and cfg.get('optim_wrapper'):
        cfg.optim_wrapper.type = 'AmpOptimWrapper'
        cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')
