"""Train on your own annotated images: split, features, two layers, thresholds, test, report.

    tcnn fit DIR --out fits/mine
    tcnn fit DIR --backbone minivoc --out fits/mine     # nothing to download
    tcnn fit fits/mine --add MORE --out fits/grown      # new images and classes

DIR (or a file of annotations, or several of them) is in VOC, COCO, YOLO, CVAT or Label Studio
format, has a CSV of boxes, or has image labels alone: a CSV, a JSON, or one folder per class (then
training is weak). Nothing is written into it. What cannot be used is counted by reason. OUT gets
the lists, a config that `tcnn train` can run again, features, checkpoint, voc_ap.json, overlays and
a report. The same command given again continues where it was interrupted, and says what it reuses;
edited annotations or images need another --out. Few images are cross-validated: see --folds.
`tcnn check DIR` shows the data first; `tcnn weights list` the backbones.
"""

import argparse
from dataclasses import replace

from tcnn_mm.checkpoints.zoo import DEFAULT_BACKBONE
from tcnn_mm.cli.arguments import add_trust_argument
from tcnn_mm.cli.numbers import real, seed, whole
from tcnn_mm.cli.process_settings import importing, keep_freed_memory
from tcnn_mm.cli.reading import add_reading_arguments, read_options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The data, the backbone and its weights, the output folder."""
    parser.add_argument(
        'data',
        nargs='+',
        help='folder of annotated images, or the file of annotations; several are one data set; '
        'with --add, the --out of a finished fit',
    )
    parser.add_argument(
        '--add',
        nargs='+',
        metavar='DIR',
        help='train on the images of a finished fit and on these; they may bring new classes. '
        'Features of the images that the fit has are copied: their files may be gone',
    )
    add_reading_arguments(parser)
    parser.add_argument(
        '--backbone',
        metavar='NAME',
        help=f'default: {DEFAULT_BACKBONE}; all: tcnn weights list; with --add, that of the fit',
    )
    parser.add_argument('--out', required=True, help='folder for everything that is written')
    parser.add_argument('--weights', help='weight file; default: looked for in TCNN_WEIGHTS')
    parser.add_argument(
        '--pixels',
        choices=['imagenet', 'tf', 'caffe'],
        help='what a weight file of unknown origin expects',
    )
    parser.add_argument(
        '--scales',
        type=real(1, 100),
        nargs='+',
        help='λ; default: what the coverage report suggests',
    )
    parser.add_argument(
        '--quick',
        action='store_true',
        help='a first look: three scales, a quarter of the steps; lower AP',
    )
    add_fold_arguments(parser)
    parser.add_argument('--seed', type=seed, default=0, help='of the split and of the training')
    add_trust_argument(parser)


def add_fold_arguments(parser: argparse.ArgumentParser) -> None:
    """Cross-validation."""
    parser.add_argument(
        '--folds',
        type=fold_number,
        metavar='F',
        help='score each image by a head that did not see it, and train the last head on all '
        'images; 0: one split; default: 5 below 200 images, or where val or test would have fewer '
        'than 10 images of a class',
    )
    parser.add_argument(
        '--no-folds', dest='folds', action='store_const', const=0, help='the same as --folds 0'
    )
    parser.add_argument(
        '--repeats',
        type=whole(1, 100),
        default=1,
        metavar='R',
        help='divide into folds so often; AP is the mean',
    )
    parser.add_argument(
        '--group',
        metavar='COLUMN',
        help='column of the CSV: images of one value (a patient, a film) are in one fold, as '
        'duplicates are',
    )


def fold_number(text: str) -> int:
    """0, or 2 and more."""
    value = whole(0, 100)(text)
    if value == 1:
        raise argparse.ArgumentTypeError('1: one fold leaves no image to train on; give 2 or more')
    return value


def run(args: argparse.Namespace) -> None:
    """Run all steps that are not done yet."""
    keep_freed_memory()
    with importing():
        from tcnn_mm.engine.data_folders import resolve_folders
        from tcnn_mm.errors import UserError
        from tcnn_mm.estimator.fit import add_to_fit, fit
        from tcnn_mm.estimator.fold_choice import FoldOptions

    resolve_folders()
    options = dict(
        seed=args.seed,
        folds=FoldOptions(args.folds, args.repeats),
        reading=replace(read_options(args, decode=True), group=args.group),
    )
    network = dict(
        backbone=args.backbone, weights=args.weights, pixels=args.pixels, scales=args.scales
    )
    if args.add:
        given = [f'--{key}' for key, value in dict(network, quick=args.quick).items() if value]
        if given:
            raise UserError(
                f'{" ".join(given)}: with --add the network and the scales are those of the fit, '
                'whose features are kept; leave it out, or fit all images anew: tcnn fit DIR MORE'
            )
        if len(args.data) > 1:
            raise UserError(f'{len(args.data)} folders before --add; give the --out of one fit')
        add_to_fit(args.data[0], args.add, args.out, **options)
        return
    network['backbone'] = args.backbone or DEFAULT_BACKBONE
    fit(args.data, out=args.out, quick=args.quick, **network, **options)
