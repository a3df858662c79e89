"""Measure how many planted errors an audit of labels finds, beside cleanlab and a random order.

    python tools/analysis_tools/audit_simulation.py DATA --out audits

DATA is what tcnn fit takes; images that it names for test are not used. By each seed images are
drawn, 5 % of their boxes (without boxes, of their labels) get an error, and the audit of a
cross-validation is held against them. Features are computed once for all draws. The same command
goes on after an interruption. cleanlab is measured if it is installed: pip install cleanlab.
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
        '--scales', type=real(1, 100), nargs='+', help='λ; default: what the images need'
    )
    parser.add_argument(
        '--image-labels', action='store_true', help='use no boxes, only which classes an image has'
    )
    parser.add_argument('--images', type=whole(4), help='of each draw; default: all')
    parser.add_argument('--draws', type=whole(1), default=3)
    parser.add_argument('--share', type=real(0, 1), default=0.05, help='of boxes with an error')
    parser.add_argument('--folds', type=whole(2, 100), default=5)
    parser.add_argument('--steps', type=whole(1), help='of each head; default: as tcnn fit')
    parser.add_argument('--out', required=True, help='folder for everything that is written')
    return parser.parse_args()


def main(args: argparse.Namespace) -> None:
    from tcnn_mm.analysis.audit_figures import audit_lines
    from tcnn_mm.analysis.audit_simulation import audit_simulation
    from tcnn_mm.engine.data_folders import resolve_folders

    resolve_folders()
    records = audit_simulation(
        args.data,
        args.backbone,
        args.out,
        draws=args.draws,
        images=args.images,
        share=args.share,
        folds=args.folds,
        steps=args.steps,
        reading=read_options(args, decode=False),
        scales=args.scales,
        image_labels=args.image_labels,
    )
    print('\n'.join(audit_lines(records)))


if __name__ == '__main__':
    arguments = parse_args()
    run_tool(lambda: main(arguments))
