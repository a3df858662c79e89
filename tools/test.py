"""Test a checkpoint with mmengine's Runner.

    python tools/test.py configs/tcnn_minivoc.py work_dirs/tcnn_minivoc/epoch_12.pth

Writes voc_ap.json and image_scores.csv into the work dir.
"""

import argparse

from mmengine.runner import Runner

from tcnn_mm.cli.arguments import DAMPING_ARGUMENT, add_common_arguments
from tcnn_mm.cli.errors import run_tool
from tcnn_mm.engine.bank import build_banks
from tcnn_mm.engine.load_config import load_config, use_amp


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_common_arguments(parser)
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('--amp', action='store_true', help='bfloat16/float16 for frozen layers')
    parser.add_argument(
        '--show-dir', help='draw score maps over the pictures of the test into this folder'
    )
    parser.add_argument(
        '--show-classes', nargs='+', help='of these classes; default: the three best of a picture'
    )
    parser.add_argument('--damping', **DAMPING_ARGUMENT)
    return parser.parse_args()


def main():
    args = parse_args()
    cfg = load_config(args)
    cfg.load_from = args.checkpoint
    if args.amp:
        use_amp(cfg)
    if args.show_dir:
        hook = dict(
            type='tcnn_mm.ScoreMapHook',
            out_dir=args.show_dir,
            classes=args.show_classes,
            damping=args.damping,
        )
        cfg.custom_hooks = [*cfg.get('custom_hooks', []), hook]
    cfg.train_dataloader = cfg.train_cfg = cfg.optim_wrapper = cfg.param_scheduler = None
    build_banks(cfg)
    Runner.from_cfg(cfg).test()


if __name__ == '__main__':
    run_tool(main)
