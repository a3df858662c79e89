"""Write a run as one HTML page: AP, curves, best and worst pictures with maps, config, machine.

    python tools/report.py work_dirs/tcnn_minivoc
    python tools/report.py WORK_DIR --checkpoint FILE.pth --pictures 4 --out page.html

Of what tools/train.py and tools/test.py left in the folder. The page needs no other file.
"""

import argparse
import os.path as osp

from tcnn_mm.cli.errors import run_tool
from tcnn_mm.engine.data_folders import resolve_folders
from tcnn_mm.reports.report import write_report


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('work_dir', help='folder of a training and a test')
    parser.add_argument('--out', help='the page; default: report.html in the work dir')
    parser.add_argument('--checkpoint', help='default: the one that was tested, else the newest')
    parser.add_argument('--pictures', type=int, default=8, help='of each class; 0 for none')
    parser.add_argument(
        '--trust-checkpoint', action='store_true', help='unpickle it fully: only your own files'
    )
    return parser.parse_args()


def main():
    args = parse_args()
    resolve_folders()
    path = write_report(
        args.work_dir, args.out, args.pictures, args.checkpoint, args.trust_checkpoint
    )
    print(f'{path}: {osp.getsize(path) / 1e6:.1f} MB')


if __name__ == '__main__':
    run_tool(main)
