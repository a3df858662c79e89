"""List the labels and boxes of a cross-validated fit that are likely wrong, the surest first.

    tcnn audit fits/mine
    tcnn audit fits/mine --count 100 --out to_check

RUN is the folder of a cross-validated fit (--folds 5). Each image is scored by a head that did not
see it. What the scores and the votes of its patches deny is listed: missing label, wrong label,
box overlooked, box misplaced. audit.html shows each with the patch that says so; audit.csv has
all; label_studio.json opens in Label Studio.
"""

import argparse

from tcnn_mm.cli.arguments import add_trust_argument
from tcnn_mm.cli.numbers import whole

PRINTED = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The fit, and where the files go."""
    parser.add_argument('fit', metavar='RUN', help='folder of a fit with folds')
    parser.add_argument('--out', metavar='DIR', help='folder for the files; default: RUN/audit')
    parser.add_argument(
        '--count',
        type=whole(1),
        default=50,
        help='on the page and in label_studio.json; default: 50',
    )
    add_trust_argument(parser)


def run(args: argparse.Namespace) -> None:
    """Write the files; print the surest errors and where the files are.

    Raises:
        UserError: A fit without folds, or an unfinished one.
    """
    from tcnn_mm.compat import quiet_log
    from tcnn_mm.engine.data_folders import resolve_folders
    from tcnn_mm.labelling.audit_table import counts, printed_line
    from tcnn_mm.labelling.label_studio import setting_up
    from tcnn_mm.labelling.write_audit import write_audit

    resolve_folders()
    with quiet_log():
        found = write_audit(args.fit, args.out, args.count, args.trust_checkpoint)
    kinds = ', '.join(f'{kind} {number}' for kind, number in counts(found.checks).items())
    print(f'{len(found.checks)} to check: {kinds}')
    for check in found.checks[:PRINTED]:
        print(printed_line(check, found.classes))
    print('\n'.join([*found.notes, *(f'{path}' for path in found.files.values())]))
    print(setting_up(found.images))
