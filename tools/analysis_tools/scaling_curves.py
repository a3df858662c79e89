"""Is the cost of a test a straight line, and its memory flat? Curves over images and patches.

    python tools/analysis_tools/scaling_curves.py configs/mixing/tcnn_mobilenetv2_voc07.py \\
        --out scaling
    python tools/analysis_tools/scaling_curves.py configs/tcnn_minivoc.py --images 10,20,40 \\
        --patches 100,400

Runs the config's own test loader and model: seconds and peak memory after so many images, and
seconds of one batch at so many patches an image (grids of other overlap). Writes OUT.json and
OUT.png; prints, for each curve, the line fitted and the largest distance from it.
"""

import argparse
import json

from mmengine.runner import Runner

from tcnn_mm.benchmarks.scaling import fit_line, over_images, over_patches
from tcnn_mm.cli.arguments import add_common_arguments, load_config_from
from tcnn_mm.cli.errors import run_tool
from tcnn_mm.engine.mixed_precision import use_amp
from tcnn_mm.inference.build_model import build_model
from tcnn_mm.visualization.figure import make_figure


def numbers(text: str) -> list[int]:
    return sorted(int(part) for part in text.split(','))


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_common_arguments(parser)
    parser.add_argument('--images', type=numbers, default=[50, 100, 200, 300, 400, 500])
    parser.add_argument('--patches', type=numbers, default=[100, 250, 500, 1000, 2000])
    parser.add_argument('--amp', action='store_true', help='bfloat16 for the frozen layers')
    parser.add_argument('--out', default='scaling', help='OUT.json and OUT.png')
    return parser.parse_args()


def draw(curves: list[tuple], path: str) -> None:
    """Draw one panel per curve."""
    figure = make_figure((11, 3.2))
    for axis, (name, x, y, unit) in zip(figure.subplots(1, len(curves)), curves, strict=True):
        axis.plot(x, y, 'o-')
        axis.set(xlabel=name, ylabel=unit, ylim=(0, 1.1 * max(y)), xlim=(0, None))
    figure.savefig(path)


def main() -> None:
    args = parse_args()
    cfg = load_config_from(args)
    if args.amp:
        use_amp(cfg)
    model = build_model(cfg)
    loader = Runner.build_dataloader(cfg.test_dataloader, seed=0)
    patches, each = over_patches(model, loader, args.patches)
    images, seconds, peaks = over_images(model, loader, args.images)
    result = dict(
        images=dict(count=images, seconds=seconds, peak_mb=[p / 1e6 for p in peaks]),
        patches=dict(count=patches, seconds_per_image=each),
        fits=dict(images=fit_line(images, seconds), patches=fit_line(patches, each)),
    )
    with open(f'{args.out}.json', 'w', encoding='utf-8') as file:
        json.dump(result, file, indent=2)
    curves = [
        ('images', images, seconds, 'seconds'),
        ('images', images, result['images']['peak_mb'], 'peak memory, MB'),
        ('patches per image', patches, each, 'seconds per image'),
    ]
    draw(curves, f'{args.out}.png')
    for name, x, y, unit in curves:
        print(f'{unit:18} over {name}: ' + ', '.join(f'{a:.0f}: {b:.4g}' for a, b in zip(x, y)))  # noqa: B905
    for name, fit in result['fits'].items():
        print(f'{name}: {fit["slope"]:.4g} s each, off the line by {100 * fit["off"]:.1f} %')
    print(f'written: {args.out}.json, {args.out}.png')


if __name__ == '__main__':
    run_tool(main)
