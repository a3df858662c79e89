"""Write predictions as labels that a labelling tool imports, to be corrected there.

    tcnn prelabel found --to cvat --out annotations.xml
    tcnn prelabel found --to label-studio --out tasks.json
    tcnn prelabel found --to cvat --out tags.xml --patches 0    # labels of whole images

PREDICTIONS is what `tcnn predict photos/ --checkpoint model.pth --out found` has written. An image
gets the labels that it has there. Each has its best patch as a box: a square
that votes for the class, near the object but not its outline. Scores are probabilities where the
checkpoint is calibrated. What was corrected comes back by `tcnn fit` (or `tcnn fit OUT --add DIR`):
it reads the exports of these tools.
"""

import argparse

from tcnn_mm.cli.numbers import whole
from tcnn_mm.cli.process_settings import importing

FORMATS = ('label-studio', 'cvat', 'coco', 'coco-results')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The predictions, the format, the file."""
    parser.add_argument('predictions', help='the --out of tcnn predict')
    parser.add_argument('--to', required=True, choices=FORMATS, help='format of the file')
    parser.add_argument('--out', required=True, metavar='FILE', help='the file')
    parser.add_argument(
        '--patches',
        type=whole(0, 100),
        default=1,
        help='boxes per label at most; 0: labels of whole images; default: 1',
    )
    parser.add_argument(
        '--instances', metavar='JSON', help="with coco-results: the ground truth's file, for ids"
    )


def run(args: argparse.Namespace) -> None:
    """Write the file, and say what is in it and how it is imported.

    Raises:
        UserError: No predictions; a format that has no place for what is asked for.
    """
    with importing():
        from tcnn_mm.errors import UserError
        from tcnn_mm.labelling.prelabel_files import write_prelabels

    if (args.to == 'coco-results') != bool(args.instances):
        raise UserError('--to coco-results and --instances JSON are given together')
    print(
        '\n'.join(
            write_prelabels(args.predictions, args.to, args.out, args.patches, args.instances)
        )
    )
