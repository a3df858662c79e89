"""What each way of scoring patches costs."""

import copy
import statistics

import numpy as np
import torch
from PIL import Image
from torch.utils.flop_counter import FlopCounterMode

from tcnn_mm.benchmarks.timers import PeakMemory, matrix_rate, timed
from tcnn_mm.patches.geometry import mean_score_map
from tcnn_mm.patches.peaks import map_shape
from tcnn_mm.registry import MODELS

NUM_CLASSES = 20
NETWORKS = {
    'alexnet': (dict(type='tcnn_mm.TransferAlexNet'), None, 4096),
    'mobilenet_v2': (
        dict(type='tcnn_mm.TorchvisionBackbone', name='mobilenet_v2', preprocessing=dict(size=225)),
        dict(type='mmpretrain.GlobalAveragePooling'),
        1280,
    ),
}


class Networks:
    """Models of all modes over one backbone and one head, so that memory is not counted twice."""

    def __init__(self, name, device):
        backbone, self.neck, width = NETWORKS[name]
        torch.manual_seed(0)
        self.device, self.backbone = device, MODELS.build(backbone)
        head = dict(type='tcnn_mm.AdaptationHead', num_classes=NUM_CLASSES, in_channels=width)
        self.head = MODELS.build(head)
        self.model().init_weights()

    def model(self, mode='crop', dtype=None, stride=None):
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


def naive(model, network, images):
    """Pillow crops, one after the other, contiguous float32 batches of 64."""
    mean, std = (np.array(model.preprocessing[k], np.float32) for k in ('mean', 'std'))
    device, result = model.device, []
    for image in images:
        picture = Image.fromarray(image.permute(1, 2, 0).numpy())
        patches, scores = [], []
        for box in model.sampler.grid(image.shape[-2:]):
            cut = picture.resize((224, 224), Image.BILINEAR, box=tuple(map(float, box)))
            pixels = (np.asarray(cut, np.float32) - mean) / std
            patches.append(torch.from_numpy(pixels).permute(2, 0, 1).contiguous())
        for first in range(0, len(patches), 64):
            batch = torch.stack(patches[first : first + 64]).to(device)
            scores.append(model.head.scores(network(batch)))
        result.append(model.aggregator(torch.cat(scores)))
    return torch.stack(result)


def ours(model, images):
    """The product's own path: a batch of pictures in, their scores out."""
    samples = model.predict([image.to(model.device) for image in images])
    return torch.stack([sample.pred_score for sample in samples])


def ran_in(model):
    """The dtype of a model's frozen layers where it is; a processor may lack the one asked for."""
    return model.encoder.frozen.dtype_on(model.device.type)


def ceiling(model, device):
    """Patches a second of network and head on ready tensors: the best batch size's."""
    best = 0.0
    for batch in (32, 64, 128):
        x = torch.randn(batch, 3, 224, 224, device=device, dtype=ran_in(model))
        x = x.contiguous(memory_format=torch.channels_last)

        def step(x=x):
            return model.head.scores((model.encoder.encode_patches(x),))

        step()
        best = max(best, batch / min(timed(step, device)[0] for _ in range(3)))
    return best


def map_seconds(model, images, device):
    """Seconds of the score maps of all classes of all pictures, beside the test's own."""
    work = []
    for image in images:
        size_hw = tuple(image.shape[-2:])
        boxes = torch.from_numpy(model.sampler.grid(size_hw).copy()).to(device)
        scores = torch.rand(len(boxes), NUM_CLASSES, device=device)
        work.append((boxes, scores, size_hw, map_shape(size_hw)))

    def maps():
        for boxes, scores, size_hw, map_hw in work:
            mean_score_map(boxes, scores, size_hw, map_hw)

    maps()
    return statistics.median(timed(maps, device)[0] for _ in range(3))


def profile(name, way, images):
    """Print the operations that a mode spends its time in."""
    with torch.profiler.profile() as found:
        way(images[:1])
    print(f'\n{name}, one picture')
    print(found.key_averages().table(sort_by='self_cpu_time_total', row_limit=8))


@torch.no_grad()
def test_rows(images, device, repeats, stride, profiled=False):
    """Rows of the test table, one a mode.

    Modes are interleaved, so that what else the machine does meets all of them.

    Args:
        images (list[Tensor]): Pictures, uint8 (3, H, W) RGB.
        device (torch.device): Where the network runs.
        repeats (int): Rounds; medians are taken.
        stride (int): Of the dense grid, patch pixels.
        profiled (bool): Print the costliest operations. Defaults to False.

    Returns:
        list[dict]
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
    ways = {name: lambda x, m=model: ours(m, x) for name, model in models.items()}
    ways['naive'] = lambda x: naive(models['naive'], plain, x)
    seconds, scores, peaks = {n: [] for n in ways}, {}, {}
    tops, flops = {ran_in(model): [] for model in models.values()}, {}
    for name, way in ways.items():  # kernels are chosen and copies made before the clock runs
        with FlopCounterMode(display=False) as counter:
            way(images)
        flops[name] = counter.get_total_flops() / len(images) / 1e12
        if profiled:
            profile(name, way, images)
    for _ in range(repeats):
        for name, way in ways.items():
            with PeakMemory(device) as memory:
                took, result = timed(lambda way=way: way(images), device)
            seconds[name].append(took)
            scores[name], peaks[name] = result, memory.peak
        for dtype, values in tops.items():
            model = models['crop' if dtype == torch.float32 else 'crop-bf16']
            values.append(ceiling(model, device))
    rates = {dtype: matrix_rate(device, dtype) for dtype in tops}
    counts = {n: sum(len(m.sampler.grid(i.shape[-2:])) for i in images) for n, m in models.items()}
    rows = []
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
