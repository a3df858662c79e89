"""Train and test the method on the embedded data set, and draw localization maps.

    tcnn demo
    tcnn demo --out my_demo

It draws its own images and needs no download; about two minutes on two CPU cores. OUT gets the
checkpoint with thresholds and calibration (of the val images), voc_ap.json, image_scores.csv and
score_maps/.
"""

import argparse

CONFIG = 'tcnn_minivoc'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The folder."""
    parser.add_argument('--out', default='work_dirs/demo', help='default: work_dirs/demo')
    parser.add_argument(
        '--cfg-options', nargs='+', default=[], metavar='KEY=VALUE', help='as of `tcnn train`'
    )


def run(args: argparse.Namespace) -> None:
    """Run `tcnn train`, calibrate, and `tcnn test` on the config, then print the results."""
    import os.path as osp
    import time

    from mmengine.runner import find_latest_checkpoint

    from tcnn_mm.cli import main
    from tcnn_mm.reports.result_lines import result_lines

    started = time.perf_counter()
    parser = main.build_parser()
    options = ['--cfg-options', *args.cfg_options] if args.cfg_options else []
    common = ['--work-dir', args.out, *options]
    train = parser.parse_args(['train', CONFIG, *common])
    train.run(train)
    checkpoint = find_latest_checkpoint(args.out)
    calibrate(checkpoint, args.cfg_options)
    test = parser.parse_args(['test', CONFIG, checkpoint, '--show-dir', 'score_maps', *common])
    test.run(test)
    print('\n'.join(result_lines(args.out)))
    print(
        f'demo took {time.perf_counter() - started:.0f} s; checkpoint: {checkpoint}; '
        f'localization maps: {osp.join(args.out, "score_maps")}'
    )


def calibrate(checkpoint: str, cfg_options: list[str]) -> None:
    """Store thresholds and calibration, chosen on images of val, in the checkpoint."""
    from tcnn_mm.analysis.choose_thresholds import choose_thresholds
    from tcnn_mm.analysis.validation_set import validation_set
    from tcnn_mm.checkpoints.metadata import store_thresholds
    from tcnn_mm.engine.load_config import load_config

    settings = validation_set(load_config(CONFIG, cfg_options=cfg_options), images=True)
    found = choose_thresholds(checkpoint, settings)
    store_thresholds(
        checkpoint,
        dict(zip(found.classes, found.values, strict=True)),
        f'{found.images} images of val',
        found.calibration,
    )
