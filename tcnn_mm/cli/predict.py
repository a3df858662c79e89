"""Classify images with a trained checkpoint.

    tcnn predict photo.jpg holiday/ --checkpoint work_dirs/tcnn_minivoc/epoch_100.pth
    tcnn predict holiday/ --checkpoint model.pth --out results --classes fish key

The checkpoint is enough: no config, data set or pretrained weights are needed. Folders are read
with their subfolders. OUT/predictions.json holds the scores, labels and best patches of each
image; OUT/overlays/ the localization maps of its labels (at most three; of its best class where
it has none). Labels are the classes at or above their thresholds, which `tcnn fit` and
tools/analysis_tools/choose_thresholds.py store in the checkpoint; without them the best class
alone, and the JSON says so. Images that cannot be read are listed at the end, with status 1; the
results of the others are written. Results are in OUT/predictions.jsonl as they come: the same
command given again goes on where it was interrupted.
"""

import argparse

from tcnn_mm.cli.arguments import add_damping_argument, add_trust_argument
from tcnn_mm.cli.numbers import whole
from tcnn_mm.cli.process_settings import importing, keep_freed_memory


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to predict, with which checkpoint, and what to write."""
    parser.add_argument('images', nargs='+', metavar='IMAGE', help='images or folders of them')
    parser.add_argument('--checkpoint', required=True)
    parser.add_argument('--config', help='for a checkpoint that holds none')
    parser.add_argument('--out', default='predictions', help='folder; default: predictions')
    parser.add_argument(
        '--classes', nargs='+', help='patches and overlays of these; default: of the labels'
    )
    parser.add_argument('--no-overlays', action='store_true', help='only the JSON')
    add_damping_argument(parser)
    parser.add_argument(
        '--stretch-maps',
        action='store_true',
        help='stretch the colours of each overlay to its own maximum: a look at weak maps',
    )
    parser.add_argument(
        '--upright',
        action=argparse.BooleanOptionalAction,
        help='apply the EXIF orientation, or read as stored; default: as in training',
    )
    parser.add_argument('--batch-size', type=whole(1), default=4)
    parser.add_argument('--device', help="default: 'cuda' where there is a GPU, else 'cpu'")
    add_trust_argument(parser)


def run(args: argparse.Namespace) -> None:
    """Write the predictions and print a summary.

    Raises:
        UserError: Images that could not be read; a checkpoint of another kind.
    """
    keep_freed_memory()
    with importing():
        from tcnn_mm.inference.predict_folder import predict_to_folder

    done = predict_to_folder(
        args.images,
        args.checkpoint,
        args.out,
        config=args.config,
        classes=args.classes,
        overlays=not args.no_overlays,
        damping=args.damping,
        upright=args.upright,
        batch_size=args.batch_size,
        device=args.device,
        trust_checkpoint=args.trust_checkpoint,
        stretch_maps=args.stretch_maps,
    )
    print(done.summary())
    done.raise_for_errors()
