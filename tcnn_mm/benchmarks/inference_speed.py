"""Speed of each way of scoring patches."""

import copy
import functools
import statistics
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from tcnn_mm.benchmarks.timers import PeakMemory, matrix_rate, timed
from tcnn_mm.models.patch_model import PatchModel
from tcnn_mm.patches.geometry import mean_score_map
from tcnn_mm.patches.peaks import map_shape
from tcnn_mm.registry import MODELS

NUM_CLASSES = 20
Way = Callable[[Sequence[torch.Tensor]], torch.Tensor]
# Backbone, neck, width of the features.
NETWORKS: dict[str, tuple[dict, dict | None, int]] = {
    'alexnet': (dict(type='tcnn_mm.TransferAlexNet'), None, 4096),
    'mobilenet_v2': (
        dict(type='tcnn_mm.TorchvisionBackbone', name='mobilenet_v2', preprocessing=dict(size=225)),
        dict(type='mmpretrain.GlobalAveragePooling'),
        1280,
    ),
}


class Networks:
    """Models of all modes on one backbone and one head, so that memory is not counted twice."""

    def __init__(self, name: str, device: torch.device) -> None:
        backbone, self.neck, width = NETWORKS[name]
        torch.manual_seed(0)
        self.device, self.backbone = device, MODELS.build(backbone)
        head = dict(type='tcnn_mm.AdaptationHead', num_classes=NUM_CLASSES, in_channels=width)
        self.head = MODELS.build(head)
        self.model().init_weights()

    def model(
        self, mode: str = 'crop', dtype: str | None = None, stride: int | None = None
    ) -> PatchModel:
        """A model of one mode."""
        grid = dict(type='tcnn_mm.PatchGrid', stride=stride)
        model = MODELS.build(
            dict(
                type='tcnn_mm.PatchClassifier',
                backbone=self.backbone,
                neck=self.neck,
                head=self.head,
                sampler=dict(
                    type='tcnn_mm.PatchSampler',
                    grid=grid,
                    labeler=dict(type='tcnn_mm.PatchLabeler'),
                ),
                frozen=('backbone',),
                feature_mode=mode,
                frozen_dtype=dtype,
            )
        )
        return model.eval().to(self.device)


def naive(model: PatchModel, network: nn.Module, images: Sequence[torch.Tensor]) -> torch.Tensor:
    """Crop with Pillow, one patch after the other, in contiguous float32 batches of 64."""
    mean, std = (np.array(model.preprocessing[k], np.float32) for k in ('mean', 'std'))
    device, result = model.device, []
    for image in images:
        pil = Image.fromarray(image.permute(1, 2, 0).numpy())
        patches, scores = [], []
        for x1, y1, x2, y2 in model.sampler.grid(image.shape[-2:]).xyxy.tolist():
            cut = pil.resize(
                (224, 224),
                Image.Resampling.BILINEAR,
                box=(x1, y1, x2, y2),
            )
            pixels = (np.asarray(cut, np.float32) - mean) / std
            patches.append(torch.from_numpy(pixels).permute(2, 0, 1).contiguous())
        for first in range(0, len(patches), 64):
            batch = torch.stack(patches[first : first + 64]).to(device)
            scores.append(model.head.scores(network(batch)))
        result.append(model.aggregator(torch.cat(scores)))
    return torch.stack(result)


def ours(model: PatchModel, images: Sequence[torch.Tensor]) -> torch.Tensor:
    """Score a batch of images as a test does."""
    samples = model.predict([image.to(model.device) for image in images])
    return torch.stack([sample.pred_score for sample in samples])


def ran_in(model: PatchModel) -> torch.dtype:
    """The dtype that the frozen layers run in; a processor may lack the one asked for."""
    return model.encoder.frozen.dtype_on(model.device.type)


def ceiling(model: PatchModel, device: torch.device) -> float:
    """Patches per second of network and head on ready tensors, at the best batch size."""
    best = 0.0
    for batch in (32, 64, 128):
        x = torch.randn(batch, 3, 224, 224, device=device, dtype=ran_in(model))
        x = x.contiguous(memory_format=torch.channels_last)

        def step(x: torch.Tensor = x) -> torch.Tensor:
            return model.head.scores((model.encoder.encode_patches(x),))

        step()
        best = max(best, batch / min(timed(step, device)[0] for _ in range(3)))
    return best


def map_seconds(model: PatchModel, images: Sequence[torch.Tensor], device: torch.device) -> float:
    """Seconds that the score maps of all classes of all images take."""
    work = []
    for image in images:
        height, width = image.shape[-2:]
        size_hw = (height, width)
        boxes = torch.from_numpy(model.sampler.grid(size_hw).xyxy.copy()).to(device)
        scores = torch.rand(len(boxes), NUM_CLASSES, device=device)
        work.append((boxes, scores, size_hw, map_shape(size_hw)))

    def maps() -> None:
        for boxes, scores, size_hw, map_hw in work:
            mean_score_map(boxes, scores, size_hw, map_hw)

    maps()
    return statistics.median(timed(maps, device)[0] for _ in range(3))


def profile(name: str, way: Way, images: Sequence[torch.Tensor]) -> None:
    """Print the operations that a mode spends its time in."""
    with torch.profiler.profile() as found:
        way(images[:1])
    print(f'\n{name}, one image')
    print(found.key_averages().table(sort_by='self_cpu_time_total', row_limit=8))


@torch.no_grad()
def inference_rows(
    images: Sequence[torch.Tensor],
    device: torch.device,
    repeats: int,
    stride: int,
    profiled: bool = False,
) -> list[dict[str, Any]]:
    """Return one row per mode of the test table.

    Modes are interleaved, so that other load of the machine is the same for all of them.

    Args:
        images: uint8 (3, H, W) RGB.
        device: Where the network runs.
        repeats: Rounds; medians are taken.
        stride: Of the dense grid, patch pixels.
        profiled: Print the costliest operations. Defaults to False.
    """
    nets = Networks('alexnet', device)
    models = {
        'naive': nets.model(),
        'crop': nets.model(),
        'crop-bf16': nets.model(dtype='bfloat16'),
        'dense': nets.model('dense', stride=stride),
        'dense-bf16': nets.model('dense', 'bfloat16', stride),
    }
    plain = copy.deepcopy(nets.backbone).to(memory_format=torch.contiguous_format).eval()
    ways: dict[str, Way] = {n: functools.partial(ours, model) for n, model in models.items()}
    ways['naive'] = functools.partial(naive, models['naive'], plain)
    seconds: dict[str, list[float]] = {n: [] for n in ways}
    scores: dict[str, torch.Tensor] = {}
    peaks: dict[str, int] = {}
    tops: dict[torch.dtype, list[float]] = {ran_in(model): [] for model in models.values()}
    flops: dict[str, float] = {}
    for name, way in ways.items():  # kernels are chosen and copies made before the clock runs
        with FlopCounterMode(display=False) as counter:
            way(images)
        flops[name] = counter.get_total_flops() / len(images) / 1e12
        if profiled:
            profile(name, way, images)
    for _ in range(repeats):
        for name, way in ways.items():
            with PeakMemory(device) as memory:
                took, result = timed(functools.partial(way, images), device)
            seconds[name].append(took)
            scores[name], peaks[name] = result, memory.peak
        for dtype, values in tops.items():
            model = models['crop' if dtype == torch.float32 else 'crop-bf16']
            values.append(ceiling(model, device))
    rates = {dtype: matrix_rate(device, dtype) for dtype in tops}
    counts = {n: sum(len(m.sampler.grid(i.shape[-2:])) for i in images) for n, m in models.items()}
    rows: list[dict[str, Any]] = []
    for name, times in seconds.items():
        took, dtype = statistics.median(times), ran_in(models[name])
        ratios = [a / b for a, b in zip(seconds['naive'], times, strict=True)]
        ratio = statistics.median(ratios)
        rows.append(
            dict(
                mode=name,
                device=str(device),
                dtype=str(dtype).removeprefix('torch.'),
                images_per_s=len(images) / took,
                patches_per_s=counts[name] / took,
                patches_per_image=counts[name] / len(images),
                ratio_to_naive=ratio,
                ratio_range=[min(ratios), max(ratios)],
                ratio_per_patch=ratio * counts[name] / counts['naive'],
                share_of_ceiling=counts[name] / took / statistics.median(tops[dtype]),
                tflop_per_image=flops[name],
                share_of_matrix_rate=flops[name] * len(images) / took / rates[dtype],
                map_share=map_seconds(models[name], images, device) / took,
                peak_mb=peaks[name] / 1e6,
                largest_score_difference=float((scores[name] - scores['naive']).abs().max()),
            )
        )
    for dtype, values in tops.items():
        name = 'ceiling' if dtype == torch.float32 else 'ceiling-bf16'
        row = dict(mode=name, device=str(device), patches_per_s=statistics.median(values))
        rows.append(dict(row, matrix_tflop_per_s=rates[dtype]))
    return rows
