"""Arguments of the commands that read annotated images."""

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tcnn_mm.datasets.formats.read_data import ReadOptions

# Keys of `detect_format.FINDERS`: a command's --help does not import the package for them.
FORMATS = ('voc', 'coco', 'table', 'json', 'yolo', 'cvat', 'label-studio', 'folders')
UNANNOTATED = ('negative', 'skip', 'refuse')


def add_reading_arguments(parser: argparse.ArgumentParser) -> None:
    """How data are read."""
    parser.add_argument(
        '--format', choices=FORMATS, help='of the annotations; default: found out from the files'
    )
    parser.add_argument(
        '--allow-missing',
        action='store_true',
        help='go on though more than 2 %% of the annotated images or objects cannot be used',
    )
    parser.add_argument(
        '--unannotated',
        choices=UNANNOTATED,
        help='images without annotation beside annotated ones have none of the classes, are left '
        'out, or are an error; default: negative, unless they are the majority',
    )
    parser.add_argument(
        '--upright',
        action='store_true',
        help='read images as their EXIF orientation shows them; default: as stored',
    )


def read_options(args: argparse.Namespace, decode: bool) -> 'ReadOptions':
    """The options of :func:`read_data` from the parsed arguments."""
    from tcnn_mm.datasets.formats.read_data import ReadOptions
    from tcnn_mm.engine.progress import progress_steps

    return ReadOptions(
        format=args.format,
        allow_missing=args.allow_missing,
        upright=args.upright,
        unannotated=args.unannotated,
        decode=decode,
        progress=progress_steps,
    )
