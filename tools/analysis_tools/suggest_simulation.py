"""Measure what tcnn suggest saves: AP over labelled images, against random choice and its parts.

    tcnn fit DATA --folds 2 --out fits/pool
    python tools/analysis_tools/suggest_simulation.py fits/pool/config.py --out simulation \\
        --methods random,suggest,typical,uncertain --seeds 0,1,2,3,4

The training images of the fit are the pool, whose labels are given as they are asked for; its test
images test. Each seed draws the first images; the next ones are chosen by
  random       at random;
  suggest      as the command does it;
  typical      typical and different images alone;
  uncertain    uncertain images alone;
  half         one half of each.
The head is smaller than that of a fit, and the same for all methods. Results are kept in
simulation.json as they come: an interrupted command goes on.
"""

import argparse
import os

from tcnn_mm.cli.errors import run_tool
from tcnn_mm.cli.numbers import listed, whole
from tcnn_mm.errors import UserError


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config.py of a fit with folds and test images')
    parser.add_argument('--methods', default='random,suggest,typical,uncertain')
    parser.add_argument('--seeds', type=listed(whole(0)), default='0,1,2,3,4')
    parser.add_argument('--sizes', type=listed(whole(1)), default='20,40,80,160,320')
    parser.add_argument('--classes', nargs='+', help='of the mean; default: all')
    parser.add_argument('--out', required=True, help='folder for simulation.json')
    return parser.parse_args()


def main(args: argparse.Namespace) -> None:
    from tcnn_mm.analysis.suggest_figures import simulation_lines
    from tcnn_mm.analysis.suggest_simulation import METHODS, run_simulation

    methods = args.methods.split(',')
    unknown = [method for method in methods if method not in METHODS]
    if unknown:
        raise UserError(f'--methods {unknown[0]}: none of {", ".join(METHODS)}')
    sizes = list(args.sizes)
    if sizes != sorted({*sizes}):
        raise UserError(f'--sizes {",".join(map(str, sizes))}: give them ascending')
    os.makedirs(args.out, exist_ok=True)
    records, classes = run_simulation(args.config, args.out, methods, args.seeds, sizes)
    wanted = args.classes or classes
    absent = [name for name in wanted if name not in classes]
    if absent:
        raise UserError(f'--classes {absent[0]}: none of {", ".join(classes)}')
    columns = [classes.index(name) for name in wanted]
    print('\n'.join(simulation_lines(records, methods, columns)))


if __name__ == '__main__':
    arguments = parse_args()
    run_tool(lambda: main(arguments))
