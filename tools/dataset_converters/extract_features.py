"""Build the feature banks that a config names; `tcnn train` does it too where one is absent.

    python tools/dataset_converters/extract_features.py configs/mixing/tcnn_mobilenetv2_voc07.py

Prints the disk it needs first; an interrupted run continues where it stopped; several processes
(--launcher pytorch, under torchrun) share the images.
"""

import argparse

from tcnn_mm.cli.arguments import add_common_arguments, load_config_from
from tcnn_mm.cli.errors import run_tool
from tcnn_mm.engine.build_bank import build_banks


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_common_arguments(parser)
    parser.add_argument(
        '--only', choices=['train', 'val', 'test'], help='the bank of one data loader'
    )
    args = parser.parse_args()
    cfg = load_config_from(args)
    build_banks(cfg, [args.only] if args.only else ('train', 'val', 'test'))


if __name__ == '__main__':
    run_tool(main)
