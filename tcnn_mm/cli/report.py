"""Write a run as one HTML page: AP, curves, best and worst images with maps, config, machine.

    tcnn report work_dirs/tcnn_minivoc
    tcnn report WORK_DIR --checkpoint FILE.pth --images 4 --out page.html

The page is made of what `tcnn train` and `tcnn test` left in the folder, and needs no other file.
"""

import argparse

from tcnn_mm.cli.arguments import add_trust_argument
from tcnn_mm.cli.numbers import whole


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The folder, and what is on the page."""
    parser.add_argument('work_dir', help='folder of a training and a test')
    parser.add_argument('--out', help='the page; default: report.html in the work dir')
    parser.add_argument('--checkpoint', help='default: the one that was tested, else the newest')
    parser.add_argument(
        '--images', type=whole(0), default=8, help='per class; 0 for none; default: 8'
    )
    add_trust_argument(parser)


def run(args: argparse.Namespace) -> None:
    """Write the page and print where it is."""
    import os.path as osp

    from tcnn_mm.engine.data_folders import resolve_folders
    from tcnn_mm.reports.report import write_report

    resolve_folders()
    path = write_report(
        args.work_dir, args.out, args.images, args.checkpoint, args.trust_checkpoint
    )
    print(f'{path}: {osp.getsize(path) / 1e6:.1f} MB')
