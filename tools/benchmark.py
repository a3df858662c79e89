"""What each way of scoring patches costs, side by side, in one run.

    python tools/benchmark.py                                  # embedded pictures
    python tools/benchmark.py --images DIR --limit 8 --json speed.json
    python tools/benchmark.py --profile                        # where each mode spends its time

AlexNet (random weights) + FCa/FCb, the paper's nine scales. Modes are interleaved and repeated;
the table has medians. *naive* is what one writes first: each patch cropped by Pillow, float32,
batches of 64 through torchvision's layers. *ceiling* is the same network, dtype and memory format
on ready tensors, best of batch 32, 64, 128: what no cropping can beat; dense modes share the
convolutions and pass it. *map_share* is what score maps of all 20 classes would add to a test, as a
share of it. A dense grid has its own number of patches: compare images.
"""

import argparse
import copy
import glob
import json
import os.path as osp
import statistics
import tempfile

import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from PIL import Image
from torch.utils.data import DataLoader
from torch.utils.flop_counter import FlopCounterMode

from tcnn_mm.datasets.feature_bank import FILES, FeatureBank
from tcnn_mm.datasets.image_io import load_bgr
from tcnn_mm.datasets.mini_voc import MiniVOC
from tcnn_mm.engine.launch import run_tool
from tcnn_mm.engine.machine import describe_machine
from tcnn_mm.engine.measure import PeakMemory, matrix_rate, timed
from tcnn_mm.errors import UserError
from tcnn_mm.models.adaptation_head import global_mean_loss
from tcnn_mm.patches.geometry import mean_score_map
from tcnn_mm.patches.peaks import map_shape
from tcnn_mm.registry import MODELS

NUM_CLASSES, TRAIN_BATCH = 20, 128
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
    device, result = model._mean.device, []
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
    samples = model.predict([image.to(model._mean.device) for image in images])
    return torch.stack([sample.pred_score for sample in samples])


def ceiling(model, device):
    """Patches a second of network and head on ready tensors: the best batch size's."""
    best = 0.0
    for batch in (32, 64, 128):
        x = torch.randn(batch, 3, 224, 224, device=device, dtype=model.frozen_dtype)
        x = x.contiguous(memory_format=torch.channels_last)

        def step(x=x):
            return model.head.scores((model.frozen_features(x),))

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
def run_test(images, device, args):
    """Rows of the test table, one a mode."""
    nets = Networks('alexnet', device)
    models = {
        'naive': nets.model(),
        'crop': nets.model(),
        'crop-bf16': nets.model(dtype='bfloat16'),
        'dense': nets.model('dense', stride=args.stride),
        'dense-bf16': nets.model('dense', 'bfloat16', args.stride),
    }
    plain = copy.deepcopy(nets.backbone).to(memory_format=torch.contiguous_format).eval()
    ways = {name: lambda x, m=model: ours(m, x) for name, model in models.items()}
    ways['naive'] = lambda x: naive(models['naive'], plain, x)
    seconds, scores, peaks = {n: [] for n in ways}, {}, {}
    tops, flops = {torch.float32: [], torch.bfloat16: []}, {}
    for name, way in ways.items():  # kernels are chosen and copies made before the clock runs
        with FlopCounterMode(display=False) as counter:
            way(images)
        flops[name] = counter.get_total_flops() / len(images) / 1e12
        if args.profile:
            profile(name, way, images)
    for _ in range(args.repeats):
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
        took, dtype = statistics.median(times), models[name].frozen_dtype
        ratios = [a / b for a, b in zip(seconds['naive'], times, strict=True)]
        ratio = statistics.median(ratios)
        rows.append(
            dict(
                mode=name,
                device=str(device),
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


def random_bank(folder, width, rows=20 * TRAIN_BATCH):
    """A feature bank of random numbers, read by the real data set and loader."""
    random = np.random.default_rng(0)
    random.random((1, rows, width), np.float32).astype(np.float16).tofile(
        osp.join(folder, FILES['features'])
    )
    np.savez(
        osp.join(folder, FILES['rows']),
        boxes=np.zeros((rows, 4), np.float32),
        labels=random.integers(0, NUM_CLASSES + 1, rows),
        first=[0],
        sizes=[rows],
    )
    with open(osp.join(folder, FILES['manifest']), 'w', encoding='utf-8') as file:
        json.dump(dict(shape=[1, rows, width], classes=[], pictures=[{}]), file)
    return DataLoader(
        FeatureBank(folder, flips=False), TRAIN_BATCH, shuffle=True, collate_fn=pseudo_collate
    )


def run_train(images, device, repeats, name):
    """Patches a second of training: pictures online, an epoch of a bank, the head alone."""
    nets = Networks(name, device)
    head, random = nets.head.train(), np.random.default_rng(0)
    optimizer = torch.optim.SGD(head.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    ready = torch.rand(TRAIN_BATCH, NETWORKS[name][2], device=device)
    labels = torch.from_numpy(random.integers(0, NUM_CLASSES + 1, TRAIN_BATCH)).to(device)

    def update(features, labels):
        optimizer.zero_grad()
        global_mean_loss(head((features,)), labels).backward()
        optimizer.step()

    def online(model):
        each = -(-TRAIN_BATCH // len(images))
        grids = [model.sampler.grid(i.shape[-2:]) for i in images]
        boxes = [g[random.permutation(len(g))[:each]] for g in grids]
        parts = [p for *_, p in model.iter_features([i.to(device) for i in images], boxes)]
        update(torch.cat(parts)[:TRAIN_BATCH], labels)
        return TRAIN_BATCH

    def bank(loader):
        for batch in loader:
            (features,), (named,) = batch['inputs'], batch['data_samples']
            update(features.to(device).float(), named.to(device))
        return len(loader.dataset)

    def alone():
        for _ in range(20):
            update(ready, labels)
        return 20 * TRAIN_BATCH

    with tempfile.TemporaryDirectory() as folder:
        loader = random_bank(folder, NETWORKS[name][2])
        crop, half = nets.model(), nets.model(dtype='bfloat16')
        steps = {
            'online': lambda: online(crop),
            'online-bf16': lambda: online(half),
            'bank': lambda: bank(loader),
            'head': alone,
        }
        rates = {mode: [] for mode in steps}
        for step in steps.values():
            step()
        for _ in range(repeats):
            for mode, step in steps.items():
                took, count = timed(step, device)
                rates[mode].append(count / took)
    rate = {mode: statistics.median(values) for mode, values in rates.items()}
    return [
        dict(
            mode=mode,
            network=name,
            device=str(device),
            patches_per_s=value,
            share_of_head=value / rate['head'],
            ratio_to_online=value / rate['online'],
        )
        for mode, value in rate.items()
    ]


def show(rows):
    """Print rows as a table; what a row lacks is a dash."""
    keys = [key for key in rows[0] if key not in ('device', 'ratio_range')]
    heads = {key: key if len(key) < 18 else key.replace('largest_', '')[:18] for key in keys}
    print('  '.join(f'{heads[key]:>18}' for key in keys))
    for row in rows:
        cells = [row.get(key) for key in keys]
        texts = ['–' if c is None else c if isinstance(c, str) else f'{c:.4g}' for c in cells]
        print('  '.join(f'{text:>18}' for text in texts))


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--images', help='folder of photographs; default: MiniVOC')
    parser.add_argument('--limit', type=int, default=8)
    parser.add_argument('--repeats', type=int, default=3)
    parser.add_argument(
        '--stride', type=int, default=96, choices=[64, 96], help='of the dense grid, patch pixels'
    )
    parser.add_argument('--profile', action='store_true', help='print the costliest operations')
    parser.add_argument('--json', help='write the tables here too')
    return parser.parse_args()


def main():
    args = parse_args()
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
    result = dict(machine=describe_machine(), test=[], train=[])
    result['loader'] = dict(images_per_s=len(paths) / took)
    if not result['machine']['bf16_instructions'] and not devices:
        print('this processor has no bfloat16 instructions: bf16 will not be faster here')
    for device in [cpu, *devices]:
        result['test'] += run_test(images, device, args)
        for name in NETWORKS:
            result['train'] += run_train(images, device, args.repeats, name)
    if not devices:
        print('no CUDA GPU here: its rows are left out')
    print(json.dumps(result['machine']))
    show(result['test'])
    show(result['train'])
    print(f'loader alone: {result["loader"]["images_per_s"]:.1f} images/s in one process')
    if args.json:
        with open(args.json, 'w', encoding='utf-8') as file:
            json.dump(result, file, indent=2)


if __name__ == '__main__':
    run_tool(main)
