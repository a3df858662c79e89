"""Train a config.

    tcnn train tcnn_minivoc
    tcnn train tcnn_voc07 --amp --cfg-options randomness.seed=1
    tcnn train my_config.py --resume
    tcnn train tcnn_voc07 --dry-run     # memory, time, patch coverage; trains nothing

CONFIG is a file or the name of a bundled config (`tcnn configs list`). Images and weights are
looked for in TCNN_DATA (default: ./data) and TCNN_WEIGHTS (default: ./checkpoints). In a clone,
tools/train.py takes the same arguments; tools/dist_train.sh runs it in several processes.
"""

import argparse

from tcnn_mm.cli.arguments import add_common_arguments, load_config_from
from tcnn_mm.cli.process_errors import LOST, lost_process
from tcnn_mm.errors import UserError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of mmpretrain's tools/train.py, and `--dry-run`."""
    add_common_arguments(parser)
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        help='continue from this checkpoint, or from the newest one of the work dir',
    )
    parser.add_argument('--amp', action='store_true', help='mixed precision')
    parser.add_argument('--no-validate', action='store_true', help='skip validation')
    parser.add_argument(
        '--auto-scale-lr', action='store_true', help='scale lr to the total batch size'
    )
    parser.add_argument(
        '--dry-run',
        action='store_true',
        help='one batch through the model: labels, coverage, patches, memory, hours; then exit',
    )


def run(args: argparse.Namespace) -> None:
    """Build missing feature banks, then train with mmengine's Runner."""
    cfg = load_config_from(args)  # before seconds of imports: its errors are the common ones
    from tcnn_mm.benchmarks.dry_run import dry_run
    from tcnn_mm.checkpoints.checkpoint_path import check_checkpoint_path
    from tcnn_mm.engine.build_bank import build_banks
    from tcnn_mm.engine.mixed_precision import use_amp
    from tcnn_mm.engine.open_runner import open_runner
    from tcnn_mm.engine.run_options import scale_learning_rate

    if args.amp:
        use_amp(cfg)
    if args.no_validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    if args.auto_scale_lr:
        scale_learning_rate(cfg)
    if args.resume:
        cfg.resume = True
        cfg.load_from = None if args.resume == 'auto' else args.resume
    if cfg.load_from:
        check_checkpoint_path(cfg.load_from)
    if args.dry_run:
        dry_run(cfg)
        return
    build_banks(cfg)
    try:
        with open_runner(cfg) as runner:
            runner.train()
    except LOST as error:
        lost = lost_process(error)
        if lost is None:
            raise
        raise UserError(f'{lost}. Give the same command again with --resume') from error
