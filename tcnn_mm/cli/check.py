"""Check annotated images: format, classes, what cannot be used, which objects patches can name.

    tcnn check my_images             # reads whatever `tcnn fit` reads, in the same way
    tcnn check my_images --decode    # decode every image and compare them all; slower
    tcnn check                       # is PASCAL VOC in $TCNN_DATA, else ./data? where to get it
    tcnn check DIR --year 2012

Nothing is downloaded and nothing is changed. Status 0: `tcnn fit` trains on the data; 1: nothing
there, or problems.
"""

import argparse

from tcnn_mm.cli.numbers import whole
from tcnn_mm.cli.reading import add_reading_arguments, read_options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The data, and how thoroughly to look."""
    parser.add_argument(
        'data',
        nargs='*',
        help='folders or files of annotations, together one data set; default: VOC in $TCNN_DATA',
    )
    add_reading_arguments(parser)
    parser.add_argument('--year', type=int, choices=[2007, 2012], help='PASCAL VOC of that year')
    parser.add_argument('--decode', action='store_true', help='decode images, not only headers')
    parser.add_argument('--max-problems', type=whole(0), default=20, metavar='N', help='to print')
    parser.add_argument('--no-coverage', action='store_true', help='do not measure coverage')


def run(args: argparse.Namespace) -> None:
    """Print a report of the data, or of each PASCAL VOC found.

    Raises:
        UserError: Nothing found, or problems.
    """
    import os

    from tcnn_mm.datasets.checks.find_voc import has_voc_years
    from tcnn_mm.engine.data_folders import resolve_folders
    from tcnn_mm.estimator.data_report import report_data

    resolve_folders()
    data = args.data or [os.environ['TCNN_DATA']]
    if args.year or not args.data or (len(data) == 1 and has_voc_years(data[0])):
        _check_voc(data[0], args)
    else:
        options = read_options(args, decode=args.decode)
        print('\n'.join(report_data(data, options, not args.no_coverage)))


def _check_voc(data: str, args: argparse.Namespace) -> None:
    """Compare PASCAL VOC with what was published."""
    from tcnn_mm.datasets.checks.find_voc import find_voc
    from tcnn_mm.datasets.checks.voc_folder import check_voc_folder
    from tcnn_mm.datasets.checks.voc_report import voc_report
    from tcnn_mm.errors import UserError
    from tcnn_mm.estimator.voc_coverage import voc_coverage

    bad = []
    for folder, year in find_voc(data, args.year):
        findings = check_voc_folder(folder, year, args.decode)
        print('\n'.join(voc_report(folder, year, findings, args.max_problems)))
        if findings.problems:
            bad.append(f'{folder}: {len(findings.problems)} problems')
        elif not args.no_coverage:
            print('\n'.join(voc_coverage(folder)))
    if bad:
        raise UserError('; '.join(bad))
