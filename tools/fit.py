"""Your own pictures in one command: recognise, split, train, test, draw, report.

    python tools/fit.py DIR --backbone mobilenet_v2 --out fits/mine
    python tools/fit.py DIR --backbone minivoc --out fits/mine     # nothing to download

DIR (or a file of annotations) is in VOC format, in COCO format, or has image labels alone: a CSV,
a JSON, or one folder a class (then training is weak). Nothing is written into it. OUT gets the
lists, a config that tools/train.py can run again, features, checkpoint, voc_ap.json, overlays and
a report. The same command given again goes on where it was interrupted.
"""

import argparse

from tcnn_mm.cli.errors import run_tool
from tcnn_mm.engine.data_folders import resolve_folders
from tcnn_mm.estimator.fit import fit
from tcnn_mm.models.backbones.zoo import BACKBONES, PIXELS


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('data', help='folder of annotated pictures, or the file of annotations')
    parser.add_argument(
        '--backbone',
        choices=list(BACKBONES),
        default='mobilenet_v2',
        metavar='NAME',
        help=f'default: mobilenet_v2; one of {", ".join(BACKBONES)}',
    )
    parser.add_argument('--out', required=True, help='folder for all that is made')
    parser.add_argument('--weights', help='weight file; default: looked for in TCNN_WEIGHTS')
    parser.add_argument(
        '--pixels', choices=list(PIXELS), help='what a weight file of unknown origin expects'
    )
    parser.add_argument(
        '--scales', type=float, nargs='+', help='λ; default: what the coverage report suggests'
    )
    parser.add_argument('--seed', type=int, default=0, help='of the split and of the training')
    return parser.parse_args()


def main():
    args = parse_args()
    resolve_folders()
    fit(**vars(args))


if __name__ == '__main__':
    run_tool(main)
