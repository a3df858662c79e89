"""Look at the patches that a config trains on, before training.

    python tools/visualizations/browse_patches.py tcnn_minivoc --out patches --limit 8
    python tools/visualizations/browse_patches.py tcnn_minivoc --coverage

Green: names an object. Red: background (the sampled share). Grey: deleted (two objects, or only a
difficult one). White: the annotated objects. `--coverage` prints, per class, how many objects no
patch can name and the scales that would. Of actions: the one square of each person.
"""

import argparse

from tcnn_mm.analysis.browse_patches import browse_patches, build_parts, coverage_report
from tcnn_mm.cli.arguments import add_common_arguments, load_config_from
from tcnn_mm.cli.errors import run_tool
from tcnn_mm.cli.numbers import whole


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_common_arguments(parser)
    parser.add_argument('--split', choices=['train', 'test'], default='train', help='dataloader')
    parser.add_argument('--ids', nargs='+', help='only these images')
    parser.add_argument('--limit', type=whole(1), default=8, help='images to draw')
    parser.add_argument('--out', default='patches', help='folder for the PNGs')
    parser.add_argument('--coverage', action='store_true', help='print the report, draw nothing')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    cfg = load_config_from(args)
    dataset, model = build_parts(cfg, args.split)
    if args.coverage:
        print('\n'.join(coverage_report(dataset, model)))
        return
    seed = int(cfg.randomness.get('seed') or 0)
    for line in browse_patches(dataset, model, args.out, ids=args.ids, limit=args.limit, seed=seed):
        print(line)


if __name__ == '__main__':
    run_tool(main)
