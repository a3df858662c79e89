"""Train a config with mmengine's Runner.

    python tools/train.py configs/tcnn_minivoc.py
    python tools/train.py configs/tcnn_voc07.py --amp --cfg-options randomness.seed=1
    python tools/train.py configs/tcnn_voc07.py --resume
    python tools/train.py configs/tcnn_voc07.py --dry-run   # what it would take, and train on

Real data and weights are found through TCNN_DATA (default ./data) and TCNN_WEIGHTS (default
./checkpoints).
"""

import argparse

from mmengine.runner import Runner

from tcnn_mm.benchmarks.dry_run import dry_run
from tcnn_mm.cli.arguments import add_common_arguments
from tcnn_mm.cli.errors import run_tool
from tcnn_mm.engine.bank import build_banks
from tcnn_mm.engine.load_config import load_config, use_amp


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_common_arguments(parser)
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        help='go on from this checkpoint, or from the newest one of the work dir',
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
    return parser.parse_args()


def main():
    args = parse_args()
    cfg = load_config(args)
    if args.amp:
        use_amp(cfg)
    if args.no_validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    if args.auto_scale_lr:
        cfg.auto_scale_lr.enable = True
    if args.resume:
        cfg.resume = True
        cfg.load_from = None if args.resume == 'auto' else args.resume
    if args.dry_run:
        dry_run(cfg)
        return
    build_banks(cfg)
    Runner.from_cfg(cfg).train()


if __name__ == '__main__':
    run_tool(main)
