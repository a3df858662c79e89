"""Arguments that several commands share."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from tcnn_mm.bundled_configs import find_config
from tcnn_mm.cli.numbers import real

if TYPE_CHECKING:  # heavy: mmengine's config is imported by the command that reads one
    from mmengine.config import Config


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags that train and test share, named as in mmpretrain."""
    parser.add_argument('config', help='config file, or the name of a bundled config')
    parser.add_argument('--work-dir', help='folder for logs, checkpoints and results')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action='extend',
        metavar='KEY=VALUE',
        help='override entries of the config, e.g. model.head.dropout=0.3; may be given again',
    )
    parser.add_argument(
        '--server',
        action='store_true',
        help="the config's `server` part: train on all that is annotated, test what is secret and "
        'write the files for the evaluation server',
    )
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    add_trust_argument(parser)
    # torchrun sets LOCAL_RANK; older launchers pass the flag.
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help='by launchers')


def load_config_from(args: argparse.Namespace) -> Config:
    """Read the config that the arguments of :func:`add_common_arguments` name.

    Raises:
        UserError: No such config, or a wrong override.
    """
    find_config(args.config)  # a wrong name is reported before seconds of imports
    from tcnn_mm.engine.load_config import load_config

    return load_config(
        args.config,
        work_dir=args.work_dir,
        cfg_options=args.cfg_options,
        server=args.server,
        launcher=args.launcher,
        local_rank=args.local_rank,
        trust_checkpoint=args.trust_checkpoint,
    )


def add_trust_argument(parser: argparse.ArgumentParser) -> None:
    """Add `--trust-checkpoint`."""
    parser.add_argument(
        '--trust-checkpoint',
        action='store_true',
        help='unpickle checkpoints and weights fully: only for files that you made yourself',
    )


def add_damping_argument(parser: argparse.ArgumentParser) -> None:
    """Add `--damping` of the localization maps; None if it is not given."""
    parser.add_argument(
        '--damping',
        type=real(0),
        help="of the localization maps: empty patches added to each pixel; 0: the paper's mean; "
        "default: the checkpoint's or config's, else 20",
    )
