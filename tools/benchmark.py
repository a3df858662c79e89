"""What each way of scoring patches costs, side by side, in one run.

    python tools/benchmark.py                                  # embedded pictures
    python tools/benchmark.py --images DIR --limit 8 --json speed.json

AlexNet (random weights) + FCa/FCb, the paper's nine scales. Modes are interleaved and repeated;
the table has medians. *naive* is what one writes first: each patch cropped by Pillow, float32,
batches of 64. *ceiling* is the same network on ready tensors, best of batch 32, 64, 128. dense
modes use a grid of 64-px steps, so compare them by image and look at patches an image.
"""

import argparse
import copy
import glob
import json
import os.path as osp
import platform
import statistics
import threading
import time

import numpy as np
import torch
from mmengine.registry import init_default_scope
from PIL import Image

from tcnn_mm.datasets.image_io import load_bgr
from tcnn_mm.datasets.mini_voc import MiniVOC
from tcnn_mm.engine.launch import run_tool
from tcnn_mm.errors import UserError
from tcnn_mm.models.adaptation_head import global_mean_loss
from tcnn_mm.registry import MODELS

NUM_CLASSES = 20


class PeakMemory:
    """Largest resident memory of the process (CPU) or of the allocator (CUDA) while it is on."""

    def __init__(self, device):
        self.device, self.peak, self._on = device, 0, True

    def __enter__(self):
        if self.device.type == 'cuda':
            torch.cuda.reset_peak_memory_stats(self.device)
        else:
            self._thread = threading.Thread(target=self._watch, daemon=True)
            self._thread.start()
        return self

    def _watch(self):
        while self._on:
            with open('/proc/self/statm') as file:
                self.peak = max(self.peak, int(file.read().split()[1]) * 4096)
            time.sleep(0.01)

    def __exit__(self, *error):
        self._on = False
        if self.device.type == 'cuda':
            self.peak = torch.cuda.max_memory_allocated(self.device)
        else:
            self._thread.join()


def build(device, mode='crop', dtype=None):
    """The experiment's model on a device; the same random weights for every mode."""
    torch.manual_seed(0)
    grid = dict(type='tcnn_mm.PatchGrid', **(dict(stride=64) if mode == 'dense' else {}))
    model = MODELS.build(
        dict(
            type='tcnn_mm.PatchClassifier',
            backbone=dict(type='tcnn_mm.TransferAlexNet'),
            head=dict(type='tcnn_mm.AdaptationHead', num_classes=NUM_CLASSES),
            sampler=dict(
                type='tcnn_mm.PatchSampler', grid=grid, labeler=dict(type='tcnn_mm.PatchLabeler')
            ),
            frozen=('backbone',),
            feature_mode=mode,
            frozen_dtype=dtype,
        )
    )
    torch.manual_seed(0)
    model.init_weights()
    return model.eval().to(device)


class Naive:
    """Pillow crops, one after the other, contiguous float32 batches of 64."""

    def __init__(self, model):
        self.model = model
        self.network = copy.deepcopy(model.backbone).to(memory_format=torch.contiguous_format)

    def __call__(self, image):
        model, device = self.model, next(self.network.parameters()).device
        picture = Image.fromarray(image.permute(1, 2, 0).numpy())
        mean, std = (np.array(model.preprocessing[k], np.float32) for k in ('mean', 'std'))
        patches, scores = [], []
        for box in model.sampler.grid(image.shape[-2:]):
            cut = picture.resize((224, 224), Image.BILINEAR, box=tuple(map(float, box)))
            pixels = (np.asarray(cut, np.float32) - mean) / std
            patches.append(torch.from_numpy(pixels).permute(2, 0, 1).contiguous())
        for first in range(0, len(patches), 64):
            batch = torch.stack(patches[first : first + 64]).to(device)
            scores.append(model.head.scores(self.network(batch)))
        return model.aggregator(torch.cat(scores))


class Ours:
    """PatchClassifier's own path: one picture in, its scores out."""

    def __init__(self, model):
        self.model = model

    def __call__(self, image):
        return self.model.predict([image.to(self.model._mean.device)])[0].pred_score


def timed(function, device):
    if device.type == 'cuda':
        torch.cuda.synchronize()
    start = time.perf_counter()
    result = function()
    if device.type == 'cuda':
        torch.cuda.synchronize()
    return time.perf_counter() - start, result


@torch.no_grad()
def ceiling(model, device):
    """Patches a second of network and head on ready tensors: the best batch size's."""
    best = 0.0
    for batch in (32, 64, 128):
        x = torch.randn(batch, 3, 224, 224, device=device)
        x = x.contiguous(memory_format=torch.channels_last)

        def step(x=x):
            return model.patch_logits(model.frozen_features(x))

        step()
        best = max(best, batch / min(timed(step, device)[0] for _ in range(3)))
    return best


def run_test(images, device, repeats):
    """Rows of the test table, one a mode."""
    crop = build(device)
    models = {
        'naive': crop,
        'crop': crop,
        'crop-bf16': build(device, dtype='bfloat16'),
        'dense': build(device, 'dense'),
        'dense-bf16': build(device, 'dense', 'bfloat16'),
    }
    ways = {name: (Naive if name == 'naive' else Ours)(model) for name, model in models.items()}
    seconds, scores, peaks = {n: [] for n in ways}, {}, {}
    tops = {'crop': [], 'crop-bf16': []}
    with torch.no_grad():
        for way in ways.values():
            way(images[0])  # kernels are chosen and memory is taken before the clock runs
        for _ in range(repeats):
            for name, way in ways.items():
                with PeakMemory(device) as memory:
                    took, result = timed(lambda way=way: [way(i) for i in images], device)
                seconds[name].append(took)
                scores[name], peaks[name] = torch.stack(result), memory.peak
            for name, values in tops.items():
                values.append(ceiling(models[name], device))
    rows = []
    base = statistics.median(seconds['naive'])
    for name, times in seconds.items():
        count = sum(len(models[name].sampler.grid(i.shape[-2:])) for i in images)
        took = statistics.median(times)
        top = statistics.median(tops[name]) if name in tops else None
        ratios = [a / b for a, b in zip(seconds['naive'], times, strict=True)]
        naive_count = sum(len(crop.sampler.grid(i.shape[-2:])) for i in images)
        rows.append(
            dict(
                mode=name,
                device=str(device),
                images_per_s=len(images) / took,
                patches_per_s=count / took,
                patches_per_image=count / len(images),
                ratio_to_naive=statistics.median(ratios),
                ratio_range=[min(ratios), max(ratios)],
                ratio_per_patch=(count / took) / (naive_count / base),
                share_of_ceiling=count / took / top if top else None,
                peak_mb=peaks[name] / 1e6,
                largest_score_difference=float((scores[name] - scores['naive']).abs().max()),
            )
        )
    for name, values in tops.items():
        rows.append(
            dict(
                mode=name.replace('crop', 'ceiling'),
                device=str(device),
                patches_per_s=statistics.median(values),
            )
        )
    return rows


def run_train(images, device, repeats):
    """Training steps of 128 patches: pictures online, features of a bank, and the head alone."""
    model = build(device).train()
    head, size = model.head, 128
    optimizer = torch.optim.SGD(head.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    random = np.random.default_rng(0)
    labels = torch.from_numpy(random.integers(0, NUM_CLASSES + 1, size)).to(device)
    stored = torch.from_numpy(random.random((8 * size, 4096), np.float32)).half()
    ready = stored[:size].float().to(device)

    def update(features):
        optimizer.zero_grad()
        global_mean_loss(head((features,)), labels).backward()
        optimizer.step()

    def online():
        each = -(-size // len(images))
        boxes = [model.sampler.grid(i.shape[-2:])[:each] for i in images]
        pictures = [i.to(device) for i in images]
        parts = [part for *_, part in model.iter_features(pictures, boxes)]
        update(torch.cat(parts)[:size])

    def bank():
        update(stored[random.permutation(len(stored))[:size]].to(device).float())

    steps = dict(online=online, bank=bank, head=lambda: update(ready))
    times = {name: [] for name in steps}
    for step in steps.values():
        step()
    for _ in range(repeats):
        for name, step in steps.items():
            times[name].append(timed(step, device)[0])
    rate = {name: size / statistics.median(values) for name, values in times.items()}
    return [
        dict(mode=n, device=str(device), patches_per_s=r, share_of_head=r / rate['head'])
        for n, r in rate.items()
    ]


def machine():
    """What the figures belong to."""
    name, flags = platform.processor(), ''
    if osp.isfile('/proc/cpuinfo'):
        with open('/proc/cpuinfo') as file:
            lines = dict(line.split(':', 1) for line in file if ':' in line)
        pairs = {key.strip(): value.strip() for key, value in lines.items()}
        name, flags = pairs.get('model name', name), pairs.get('flags', '')
    fast = [flag for flag in ('amx_bf16', 'avx512_bf16') if flag in flags.split()]
    return dict(
        cpu=name,
        threads=torch.get_num_threads(),
        bf16_instructions=fast,
        gpu=torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        torch=torch.__version__,
    )


def show(rows):
    keys = [key for key in rows[0] if key not in ('device', 'ratio_range')]
    print('  '.join(f'{key[:17]:>17}' for key in keys))
    for row in rows:
        cells = [row.get(key) for key in keys]
        print(
            '  '.join(
                f'{"–" if c is None else c if isinstance(c, str) else f"{c:.4g}":>17}'
                for c in cells
            )
        )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--images', help='folder of photographs; default: MiniVOC')
    parser.add_argument('--limit', type=int, default=8)
    parser.add_argument('--repeats', type=int, default=3)
    parser.add_argument('--json', help='write the tables here too')
    args = parser.parse_args()
    init_default_scope('mmpretrain')
    if args.images:
        paths = sorted(p for p in glob.glob(osp.join(args.images, '*')) if osp.isfile(p))
    else:
        dataset = MiniVOC(split='test')
        paths = [dataset.get_data_info(i)['img_path'] for i in range(len(dataset))]
    paths = paths[: args.limit]
    if not paths:
        raise UserError(f'--images {args.images}: no pictures there')

    def load(path):
        return torch.from_numpy(np.ascontiguousarray(load_bgr(path)[..., ::-1].transpose(2, 0, 1)))

    cpu = torch.device('cpu')
    took, images = timed(lambda: [load(path) for path in paths], cpu)
    devices = [torch.device('cuda')] if torch.cuda.is_available() else []
    result = dict(machine=machine(), test=[], train=[], loader=dict(images_per_s=len(paths) / took))
    if not result['machine']['bf16_instructions'] and not devices:
        print('this processor has no bfloat16 instructions: bf16 will not be faster here')
    for device in [cpu, *devices]:
        result['test'] += run_test(images, device, args.repeats)
        result['train'] += run_train(images, device, args.repeats)
    print(json.dumps(result['machine']))
    show(result['test'])
    show(result['train'])
    print(f'loader alone: {result["loader"]["images_per_s"]:.1f} images/s in one process')
    if args.json:
        with open(args.json, 'w', encoding='utf-8') as file:
            json.dump(result, file, indent=2)


if __name__ == '__main__':
    run_tool(main)
