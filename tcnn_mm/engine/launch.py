"""What the command-line tools share: environment, processes, safe loading, one-line errors."""

import copy
import os
import os.path as osp
import shlex
import subprocess
import sys

import torch
from mmengine.config import Config, ConfigDict
from mmengine.dist import init_dist
from mmengine.registry import init_default_scope

import tcnn_mm  # noqa: F401  (lets configs inherit `tcnn_mm::…`)
from tcnn_mm.engine.checkpoint import install_safe_loader
from tcnn_mm.errors import UserError
from tcnn_mm.patches.geometry import DAMPING

FOLDERS = (('TCNN_DATA', 'data'), ('TCNN_WEIGHTS', 'checkpoints'))
# `--damping` of every tool that draws maps.
DAMPING_ARGUMENT = dict(
    type=float,
    default=DAMPING,
    help="of the maps: empty patches added to each pixel; 0: the paper's mean "
    f'(default: {DAMPING})',
)


def add_common_arguments(parser):
    """The flags that train and test share, named as in mmpretrain."""
    parser.add_argument('config', help='config file')
    parser.add_argument('--work-dir', help='folder for logs, checkpoints and results')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        metavar='KEY=VALUE',
        help='override entries of the config, e.g. model.head.dropout=0.3',
    )
    parser.add_argument(
        '--server',
        action='store_true',
        help="the config's `server` part: train on all that is annotated, test what is secret and "
        'write the files for the evaluation server',
    )
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    parser.add_argument(
        '--trust-checkpoint',
        action='store_true',
        help='unpickle checkpoints fully: only for files that you made yourself',
    )
    # torchrun sets LOCAL_RANK; older launchers pass the flag.
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help='by launchers')


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


def prepare_processes(cfg):
    """Join the process group before anything asks for a rank (feature banks do, early).

    Without a GPU: gloo, and a wrapper without device ids; mmengine calls
    `torch.cuda.set_device` for every launcher, but skips its own start when the group is there.
    """
    if cfg.launcher == 'none' or torch.distributed.is_initialized():
        return
    if torch.cuda.is_available():
        init_dist(cfg.launcher, **cfg.get('env_cfg', {}).get('dist_cfg', {}))
        return
    if cfg.launcher == 'slurm':
        read_slurm()
    elif cfg.launcher != 'pytorch':
        raise UserError(
            f'--launcher {cfg.launcher} needs GPUs here; without one use tools/dist_train.sh '
            '(torchrun, --launcher pytorch) or tools/slurm_train.sh'
        )
    torch.distributed.init_process_group('gloo')
    cfg.model_wrapper_cfg = ConfigDict(type='MMDistributedDataParallel', device_ids=None)


def read_slurm():
    """Set torch's RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR and MASTER_PORT from srun's variables.

    Raises:
        UserError: Not started by srun.
    """
    names = dict(RANK='SLURM_PROCID', WORLD_SIZE='SLURM_NTASKS', LOCAL_RANK='SLURM_LOCALID')
    for ours, theirs in names.items():
        if theirs not in os.environ:
            raise UserError(
                f'--launcher slurm: {theirs} is not set; start through srun, e.g. with '
                'tools/slurm_train.sh'
            )
        os.environ[ours] = os.environ[theirs]
    if 'MASTER_ADDR' not in os.environ:
        command = ['scontrol', 'show', 'hostnames', os.environ['SLURM_NODELIST']]
        hosts = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        os.environ['MASTER_ADDR'] = hosts.split()[0]
    os.environ.setdefault('MASTER_PORT', '29500')


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


def missing_package(error):
    """What to install for an import error of mmdet or of mmcv's ops; None for any other."""
    if error.name == 'mmcv._ext':
        return (
            "mmdet's models need mmcv's compiled ops (mmcv._ext), and this mmcv has none; "
            'docs/mixing.md says how to build them'
        )
    # mmengine raises one without a name for a missing `mmdet::…` base.
    if (error.name or str(error)).startswith('mmdet'):
        return (
            "mmdet is not installed: pip install onedl-mmdetection, or, beside OpenMMLab's own "
            'mmcv with compiled ops, mmdet'
        )
    return None


def run_tool(main):
    """Run a tool; a :class:`UserError` ends it with its message and status 1, no traceback."""
    try:
        main()
    except (UserError, ImportError) as error:
        message = missing_package(error) if isinstance(error, ImportError) else str(error)
        if message is None:
            raise
        if message.startswith('Caught '):  # out of a data loader's worker: see UserError
            message = message.strip().splitlines()[-1].partition('UserError: ')[2]
        print(f'error: {message}', file=sys.stderr)
        sys.exit(1)
