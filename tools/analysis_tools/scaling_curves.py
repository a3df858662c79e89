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
import time

import numpy as np
import torch
from mmengine.runner import Runner

from tcnn_mm.analysis.prediction_cache import build_model
from tcnn_mm.benchmarks.timers import PeakMemory, timed
from tcnn_mm.cli.arguments import add_common_arguments, load_config_from
from tcnn_mm.cli.errors import run_tool
from tcnn_mm.engine.mixed_precision import use_amp
from tcnn_mm.engine.progress import progress_bar
from tcnn_mm.errors import UserError
from tcnn_mm.patches.grid import PatchGrid


def numbers(text):
    return sorted(int(part) for part in text.split(','))


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_common_arguments(parser)
    parser.add_argument('--images', type=numbers, default=[50, 100, 200, 300, 400, 500])
    parser.add_argument('--patches', type=numbers, default=[100, 250, 500, 1000, 2000])
    parser.add_argument('--amp', action='store_true', help='bfloat16 for the frozen layers')
    parser.add_argument('--out', default='scaling', help='OUT.json and OUT.png')
    return parser.parse_args()


def over_images(model, loader, marks):
    """Images, seconds and peak memory (bytes) at the first batch to reach each mark."""
    device, counts, seconds, peaks, done = model.device, [], [], [], 0
    bar = progress_bar(marks[-1], 'image')
    start = time.perf_counter()
    memory = PeakMemory(device)
    with memory:
        for batch in loader:
            model.test_step(batch)
            done += len(batch['inputs'])
            bar.update(len(batch['inputs']))
            if done >= marks[len(counts)]:
                counts.append(done)
                seconds.append(time.perf_counter() - start)
                peaks.append(memory.peak)
            if len(counts) == len(marks):
                break
    bar.close()
    if len(counts) < len(marks):
        raise UserError(f'--images {marks[-1]}: the test set has {done}')
    return counts, seconds, peaks


def grid_of(count, grid, size_hw):
    """The grid of the same scales whose overlap gives about `count` patches on a picture."""

    def made(overlap):
        return PatchGrid(grid.scales, overlap, grid.size, snap=grid.snap)

    low, high = 0.0, 0.99
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (middle, high) if len(made(middle)(size_hw)) < count else (low, middle)
    return made(high)


def over_patches(model, loader, marks):
    """Patches an image and seconds an image of one batch, for grids of about `marks` patches."""
    batch, counts, seconds = next(iter(loader)), [], []
    size_hw, usual = tuple(batch['inputs'][0].shape[-2:]), model.sampler.grid
    model.test_step(batch)
    for mark in marks:
        model.sampler.grid = grid_of(mark, usual, size_hw)
        sizes = [len(model.sampler.grid(tuple(i.shape[-2:]))) for i in batch['inputs']]
        counts.append(float(np.mean(sizes)))
        took = min(timed(lambda: model.test_step(batch), model.device)[0] for _ in range(2))
        seconds.append(took / len(sizes))
    model.sampler.grid = usual
    return counts, seconds


def line(x, y):
    """Slope, intercept and largest distance from the fitted line as a share of the largest y."""
    slope, intercept = np.polyfit(x, y, 1)
    off = np.abs(np.polyval((slope, intercept), x) - y).max() / max(y)
    return dict(slope=float(slope), intercept=float(intercept), off=float(off))


def draw(curves, path):
    """One panel a curve."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 3.2), layout='constrained')
    for axis, (name, x, y, unit) in zip(figure.subplots(1, len(curves)), curves, strict=True):
        axis.plot(x, y, 'o-')
        axis.set(xlabel=name, ylabel=unit, ylim=(0, 1.1 * max(y)), xlim=(0, None))
    figure.savefig(path, dpi=100)


@torch.no_grad()
def main():
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
        fits=dict(images=line(images, seconds), patches=line(patches, each)),
    )
    with open(f'{args.out}.json', 'w', encoding='utf-8') as file:
        json.dump(result, file, indent=2)
    curves = [
        ('images', images, seconds, 'seconds'),
        ('images', images, result['images']['peak_mb'], 'peak memory, MB'),
        ('patches an image', patches, each, 'seconds an image'),
    ]
    draw(curves, f'{args.out}.png')
    for name, x, y, unit in curves:
        print(f'{unit:18} over {name}: ' + ', '.join(f'{a:.0f}: {b:.4g}' for a, b in zip(x, y)))  # noqa: B905
    for name, fit in result['fits'].items():
        print(f'{name}: {fit["slope"]:.4g} s each, off the line by {100 * fit["off"]:.1f} %')
    print(f'written: {args.out}.json, {args.out}.png')


if __name__ == '__main__':
    run_tool(main)
