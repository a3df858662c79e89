"""What the votes are worth: the same frozen features without patches, on the same images.

    python tools/analysis_tools/compare_baselines.py configs/mixing/tcnn_mobilenetv2_voc07.py
    python tools/analysis_tools/compare_baselines.py CONFIG --whole-only --full   # seconds

Four classifiers of whole images on the config's backbone (trained and scored on the config's
data): the image squashed to one patch, and the mean of all the grid's windows, each with one
logistic regression a class and with the method's own head (FCa, FCb; K sigmoid outputs, log-loss,
the same optimizer). Difficult-only classes are left out of training and of AP.
"""

import argparse
import json

import numpy as np

from tcnn_mm.analysis.baselines import compare_baselines
from tcnn_mm.checkpoints.atomic_write import atomic_write
from tcnn_mm.cli.arguments import add_common_arguments, load_config_from
from tcnn_mm.cli.errors import run_tool
from tcnn_mm.cli.numbers import whole


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_common_arguments(parser)
    parser.add_argument('--whole-only', action='store_true', help='skip the windows (the cost)')
    parser.add_argument('--full', action='store_true', help="ignore the config's lists of ids")
    parser.add_argument('--seeds', type=whole(1), default=3, help='of the head')
    parser.add_argument('--subset', nargs='*', help="classes of the mean; default: the metric's")
    parser.add_argument('--mode', default='voc07', choices=['voc07', 'voc10'])
    parser.add_argument('--json', help='write the table here too')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    cfg = load_config_from(args)
    result = compare_baselines(
        cfg, not args.whole_only, args.seeds, args.mode, args.subset, args.full
    )
    train, test = result['images']
    print(f'\n{args.mode} AP, mean of {", ".join(result["classes"])}; {train} → {test} images')
    for name, values in result['rows'].items():
        print(f'{name:38} {np.mean(values):.4f}  ({min(values):.4f}–{max(values):.4f})')
    if args.json:
        with atomic_write(args.json) as file:
            json.dump(result, file, indent=2)


if __name__ == '__main__':
    run_tool(main)
