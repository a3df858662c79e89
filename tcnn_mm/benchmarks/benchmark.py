"""Speed of test and training, side by side in one run, as rows of numbers."""

import glob
import json
import os.path as osp
from typing import Any

import torch
from mmengine.registry import init_default_scope

from tcnn_mm.benchmarks.hardware import describe_hardware
from tcnn_mm.benchmarks.inference_speed import NETWORKS, inference_rows
from tcnn_mm.benchmarks.tables import table_lines
from tcnn_mm.benchmarks.timers import timed
from tcnn_mm.benchmarks.training_speed import training_rows
from tcnn_mm.checkpoints.atomic_write import atomic_write
from tcnn_mm.datasets.image_io import load_rgb_chw
from tcnn_mm.datasets.mini_voc.dataset import MiniVOC
from tcnn_mm.errors import UserError


def image_paths(folder: str | None, limit: int) -> list[str]:
    """The first files of a folder, or images of MiniVOC.

    Raises:
        UserError: None there.
    """
    if folder:
        paths = sorted(p for p in glob.glob(osp.join(glob.escape(folder), '*')) if osp.isfile(p))
    else:
        dataset = MiniVOC(split='test')
        paths = [dataset.get_data_info(i)['img_path'] for i in range(len(dataset))]
    if not paths:
        raise UserError(f'--images {folder}: no images there')
    return paths[:limit]


def run_benchmark(
    paths: list[str], repeats: int = 3, stride: int = 96, profile: bool = False
) -> dict[str, Any]:
    """Measure on the CPU, and on the GPU where there is one.

    Args:
        paths: Image files.
        repeats: Rounds; the rows hold medians.
        stride: Of the dense grid, in pixels of the patch: 64 or 96.
        profile: Print the costliest operations.

    Returns:
        `machine`; `test` and `train`, a row per mode and device; `loader`: `images_per_s`.
    """
    init_default_scope('mmpretrain')
    cpu = torch.device('cpu')
    took, images = timed(lambda: [torch.from_numpy(load_rgb_chw(path)) for path in paths], cpu)
    devices = [cpu, *([torch.device('cuda')] if torch.cuda.is_available() else [])]
    result: dict[str, Any] = dict(machine=describe_hardware(), test=[], train=[])
    result['loader'] = dict(images_per_s=len(paths) / took)
    for device in devices:
        result['test'] += inference_rows(images, device, repeats, stride, profile)
        for name in NETWORKS:
            result['train'] += training_rows(images, device, repeats, name)
    return result


def table(rows: list[dict[str, Any]]) -> list[str]:
    """Rows as aligned lines, without the columns of device and range."""
    return table_lines(rows, leave_out=('device', 'ratio_range'))


def report_lines(result: dict[str, Any]) -> list[str]:
    """The result of :func:`run_benchmark` as text."""
    lines = [json.dumps(result['machine']), *table(result['test']), *table(result['train'])]
    lines.append(f'loader alone: {result["loader"]["images_per_s"]:.1f} images/s in one process')
    if not torch.cuda.is_available():
        lines.append('no CUDA GPU here: its rows are left out')
    return lines


def write_result(result: dict[str, Any], path: str) -> None:
    """Write the result as JSON."""
    with atomic_write(path) as file:
        json.dump(result, file, indent=2)
