"""Check a data folder: layout, classes, problems, and which objects patches can name.

    tcnn check                       # is PASCAL VOC in $TCNN_DATA, else ./data? where to get it
    tcnn check DIR --year 2012
    tcnn check my_images             # VOC, COCO or image labels: whatever `tcnn fit` reads
    tcnn check my_images --decode    # decode every image; slower

Nothing is downloaded and nothing is changed. Status 0: sound; 1: nothing there, or problems.
"""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The data, and how thoroughly to look."""
    parser.add_argument(
        'data', nargs='?', help='folder or file of annotations; default: VOC in $TCNN_DATA'
    )
    parser.add_argument('--year', type=int, choices=[2007, 2012], help='default: all that exist')
    parser.add_argument('--decode', action='store_true', help='decode images, not only headers')
    parser.add_argument('--max-problems', type=int, default=20, metavar='N', help='to print')
    parser.add_argument('--no-coverage', action='store_true', help='do not measure coverage')


def run(args: argparse.Namespace) -> None:
    """Print a report for each data set found.

    Raises:
        UserError: Nothing found, or problems.
    """
    import os
    import os.path as osp

    from tcnn_mm.datasets.checks.find_voc import find_voc, is_voc_folder
    from tcnn_mm.datasets.checks.voc_folder import check_voc_folder
    from tcnn_mm.datasets.checks.voc_report import voc_report
    from tcnn_mm.engine.data_folders import resolve_folders
    from tcnn_mm.errors import UserError
    from tcnn_mm.estimator.data_report import coverage_lines, report_data

    resolve_folders()
    data = args.data or os.environ['TCNN_DATA']
    below = [osp.join(data, *at, f'VOC{y}') for at in ((), ('VOCdevkit',)) for y in (2007, 2012)]
    # Annotations without lists are read as `tcnn fit` reads them.
    listed = is_voc_folder(data) and osp.isdir(osp.join(data, 'ImageSets'))
    if args.data and not (args.year or listed or any(map(osp.isdir, below))):
        report = report_data(data, args.decode, not args.no_coverage)
        print('\n'.join(report.lines))
        for text in report.problems[: args.max_problems]:
            print(f'problem: {text}')
        if report.problems:
            raise UserError(f'{data}: {len(report.problems)} images cannot be read')
        return
    bad = []
    for folder, year in find_voc(data, args.year):
        findings = check_voc_folder(folder, year, args.decode)
        print('\n'.join(voc_report(folder, year, findings, args.max_problems)))
        if findings.problems:
            bad.append(f'{folder}: {len(findings.problems)} problems')
        elif not args.no_coverage:
            print('\n'.join(coverage_lines(folder)))
    if bad:
        raise UserError('; '.join(bad))
