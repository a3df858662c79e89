"""Measure how often the interval of a cross-validation covers the AP on other images.

    python tools/analysis_tools/fold_coverage.py DATA --images 50 --draws 5 --out coverage

DATA is what tcnn fit takes. Of its images 50 are drawn by each seed and cross-validated as tcnn fit
does it; their last head is tested on the images that DATA names for test, else on all that were not
drawn. Features are computed once for all draws. The same command goes on after an interruption.
"""

import argparse

from tcnn_mm.checkpoints.zoo import DEFAULT_BACKBONE
from tcnn_mm.cli.errors import run_tool
from tcnn_mm.cli.numbers import real, whole
from tcnn_mm.cli.reading import add_reading_arguments, read_options


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('data', nargs='+', help='as of tcnn fit')
    add_reading_arguments(parser)
    parser.add_argument('--backbone', default=DEFAULT_BACKBONE, metavar='NAME')
    parser.add_argument(
        '--scales', type=real(1, 100), nargs='+', help='λ; default: what all images need'
    )
    parser.add_argument('--images', type=whole(4), default=50, help='of each draw')
    parser.add_argument('--draws', type=whole(1), default=5)
    parser.add_argument('--folds', type=whole(2, 100), default=5)
    parser.add_argument('--out', required=True, help='folder for everything that is written')
    return parser.parse_args()


def main(args: argparse.Namespace) -> None:
    from tcnn_mm.analysis.fold_coverage import coverage_lines, fold_coverage
    from tcnn_mm.engine.data_folders import resolve_folders

    resolve_folders()
    records = fold_coverage(
        args.data,
        args.backbone,
        args.out,
        args.images,
        args.draws,
        args.folds,
        read_options(args, decode=False),
        args.scales,
    )
    print('\n'.join(coverage_lines(records)))


if __name__ == '__main__':
    arguments = parse_args()
    run_tool(lambda: main(arguments))
