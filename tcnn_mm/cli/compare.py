"""Compare the tests of two runs: AP per class, intervals, and which classes differ beyond chance.

    tcnn compare work_dirs/a work_dirs/b
    tcnn compare work_dirs/a --metric voc07      # the intervals of one run

RUN is the folder of a `tcnn test` (of a fit: OUT/run). Both tests are on the same images. The
intervals (95 %) say what another draw of the test images could have given, by drawing them again
with replacement; the difference is taken draw by draw. They say nothing of another seed or of other
training images: for these, train again with --cfg-options randomness.seed=1.
"""

import argparse

from tcnn_mm.cli.numbers import whole


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The runs, the metric, the draws."""
    parser.add_argument('runs', nargs='+', metavar='RUN', help='one or two folders of tests')
    parser.add_argument(
        '--metric', choices=['voc07', 'voc10'], default='voc10', help='default: voc10 (area)'
    )
    parser.add_argument(
        '--draws', type=whole(100, 1_000_000), default=1000, help='of the bootstrap; default: 1000'
    )
    parser.add_argument('--json', metavar='FILE', help='write the figures there too, as fractions')


def run(args: argparse.Namespace) -> None:
    """Print the table.

    Raises:
        UserError: More than two runs; tests of other images, classes or labels.
    """
    import json

    from tcnn_mm.checkpoints.atomic_write import atomic_write
    from tcnn_mm.compat import quiet_log
    from tcnn_mm.engine.data_folders import resolve_folders
    from tcnn_mm.errors import UserError
    from tcnn_mm.reports.comparison import (
        compare_tests,
        comparison_json,
        comparison_lines,
        read_test,
    )

    if len(args.runs) > 2:
        raise UserError(f'{len(args.runs)} runs were given; compare two at a time')
    resolve_folders()
    with quiet_log():
        tests = [read_test(path) for path in args.runs]
    comparison = compare_tests(tests, args.metric, args.draws)
    print('\n'.join(comparison_lines(comparison)))
    if args.json:
        with atomic_write(args.json) as file:
            json.dump(comparison_json(comparison), file, indent=2, allow_nan=False)
            file.write('\n')
