"""Arguments that several commands share."""

from tcnn_mm.patches.geometry import DAMPING

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
