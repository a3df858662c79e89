"""Choose the image score from which on each class is named, and store it in the checkpoint.

    python tools/analysis_tools/choose_thresholds.py configs/tcnn_minivoc.py \\
        work_dirs/tcnn_minivoc/epoch_100.pth
    python tools/analysis_tools/choose_thresholds.py CONFIG CHECKPOINT --ids my_val_list.txt

The threshold of a class is the one of the highest F1 on the config's validation images: those
of its val_dataloader, else the `val` split of its test data. The model is the checkpoint's own.
tcnn predict and TCNNInferencer name by what is stored; publishing keeps it. The same images
calibrate the scores: results then have probabilities. Choose on images that were not trained on:
the tool says how many were, and does not calibrate on them.
"""

import argparse

from tcnn_mm.analysis.choose_thresholds import choose_thresholds
from tcnn_mm.analysis.validation_set import validation_set
from tcnn_mm.checkpoints.metadata import store_thresholds
from tcnn_mm.cli.arguments import add_common_arguments, load_config_from
from tcnn_mm.cli.errors import run_tool


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_common_arguments(parser)
    parser.add_argument('checkpoint', help='its file gets the thresholds')
    parser.add_argument(
        '--loader',
        choices=['train', 'val', 'test'],
        help="whose images are the validation set; default: val, else test's `val` split",
    )
    parser.add_argument('--split', help="of that data set; default: val, where it has a 'split'")
    parser.add_argument('--ids', help='a text file: only these of its images')
    parser.add_argument('--dry-run', action='store_true', help='print, and store nothing')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    cfg = load_config_from(args)
    loader = args.loader or ('val' if cfg.get('val_dataloader') else 'test')
    settings = validation_set(cfg, loader, args.split, args.ids, images=True)
    found = choose_thresholds(args.checkpoint, settings, args.trust_checkpoint)
    print('\n'.join(found.lines()))
    chosen_on = f'{found.images} images of {args.ids or settings.get("split", loader)}'
    if found.trained_on:
        chosen_on += f', {found.trained_on} of them trained on'
        print(
            f'{found.trained_on} of the {found.images} images were trained on: their scores are '
            'higher than those of new ones, and the thresholds too high. Choose on images that '
            'were not trained on. No probabilities are stored.'
        )
    if args.dry_run:
        print('nothing stored (--dry-run)')
        return
    thresholds = dict(zip(found.classes, found.values, strict=True))
    store_thresholds(
        args.checkpoint, thresholds, chosen_on, found.calibration, args.trust_checkpoint
    )
    print(f'{args.checkpoint}: thresholds chosen on {chosen_on}')


if __name__ == '__main__':
    run_tool(main)
