"""Test a checkpoint: average precision per class.

    tcnn test tcnn_minivoc work_dirs/tcnn_minivoc/epoch_100.pth
    tcnn test tcnn_minivoc CHECKPOINT --show-dir score_maps

Writes voc_ap.json and image_scores.csv into the work dir. CONFIG is a file or the name of a
bundled config. In a clone, tools/test.py takes the same arguments; tools/dist_test.sh runs it in
several processes.
"""

import argparse

from tcnn_mm.cli.arguments import add_common_arguments, add_damping_argument, load_config_from


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of mmpretrain's tools/test.py, and those of the localization maps."""
    add_common_arguments(parser)
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('--amp', action='store_true', help='bfloat16/float16 for frozen layers')
    parser.add_argument(
        '--show-dir', help='draw localization maps over the test images into this folder'
    )
    parser.add_argument(
        '--show-classes', nargs='+', help='of these classes; default: the best three per image'
    )
    add_damping_argument(parser)


def run(args: argparse.Namespace) -> None:
    """Build a missing feature bank, then test with mmengine's Runner."""
    cfg = load_config_from(args)  # before seconds of imports: its errors are the common ones
    from tcnn_mm.checkpoints.checkpoint_path import check_checkpoint_path
    from tcnn_mm.checkpoints.metadata import map_damping
    from tcnn_mm.engine.build_bank import build_banks
    from tcnn_mm.engine.mixed_precision import use_amp
    from tcnn_mm.engine.open_runner import open_runner
    from tcnn_mm.engine.run_options import leave_out_training_hooks

    check_checkpoint_path(args.checkpoint)
    cfg.load_from = args.checkpoint
    if args.amp:
        use_amp(cfg)
    if args.show_dir:
        hook = dict(
            type='tcnn_mm.ScoreMapHook',
            out_dir=args.show_dir,
            classes=args.show_classes,
            damping=map_damping({}, cfg) if args.damping is None else args.damping,
        )
        cfg.custom_hooks = [*cfg.get('custom_hooks', []), hook]
    cfg.train_dataloader = cfg.train_cfg = cfg.optim_wrapper = cfg.param_scheduler = None
    leave_out_training_hooks(cfg)
    build_banks(cfg)
    with open_runner(cfg) as runner:
        runner.test()
