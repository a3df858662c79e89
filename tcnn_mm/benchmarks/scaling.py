"""Seconds and memory of a test over the number of images and of patches."""

import time
from collections.abc import Sequence

import numpy as np
import torch
from torch.utils.data import DataLoader

from tcnn_mm.benchmarks.timers import PeakMemory, timed
from tcnn_mm.engine.progress import progress_bar
from tcnn_mm.errors import UserError
from tcnn_mm.models.patch_model import PatchModel
from tcnn_mm.patches.grid import PatchGrid


@torch.no_grad()
def over_images(
    model: PatchModel, loader: DataLoader, marks: Sequence[int]
) -> tuple[list[int], list[float], list[int]]:
    """Images, seconds and peak memory (bytes) at the first batch to reach each mark."""
    device, done = model.device, 0
    counts: list[int] = []
    seconds: list[float] = []
    peaks: list[int] = []
    bar = progress_bar(marks[-1], 'image')
    start = time.perf_counter()
    memory = PeakMemory(device)
    with memory:
        for batch in loader:
            model.test_step(batch)
            done += len(batch['data_samples'])
            bar.update(len(batch['data_samples']))
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


def grid_of(count: int, grid: PatchGrid, size_hw: tuple[int, int]) -> PatchGrid:
    """Return the grid of the same scales whose overlap gives about `count` patches per image."""

    def made(overlap: float) -> PatchGrid:
        return PatchGrid(grid.scales, overlap, grid.size, snap=grid.snap)

    low, high = 0.0, 0.99
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (middle, high) if len(made(middle)(size_hw)) < count else (low, middle)
    return made(high)


@torch.no_grad()
def over_patches(
    model: PatchModel, loader: DataLoader, marks: Sequence[int]
) -> tuple[list[float], list[float]]:
    """Patches and seconds per image of one batch, for grids of about `marks` patches."""
    batch = next(iter(loader))
    counts, seconds = [], []
    height, width = batch['inputs'][0].shape[-2:]
    size_hw, usual = (height, width), model.sampler.grid
    model.test_step(batch)
    for mark in marks:
        model.sampler.grid = grid_of(mark, usual, size_hw)
        sizes = [len(model.sampler.grid(tuple(i.shape[-2:]))) for i in batch['inputs']]
        counts.append(float(np.mean(sizes)))
        took = min(timed(lambda: model.test_step(batch), model.device)[0] for _ in range(2))
        seconds.append(took / len(sizes))
    model.sampler.grid = usual
    return counts, seconds


def fit_line(x: Sequence[float], y: Sequence[float]) -> dict[str, float]:
    """Slope, intercept and largest distance from the fitted line as a share of the largest y."""
    slope, intercept = np.polyfit(x, y, 1)
    off = np.abs(np.polyval((slope, intercept), x) - y).max() / max(y)
    return dict(slope=float(slope), intercept=float(intercept), off=float(off))
