"""What each way of scoring patches costs, side by side, in one run.

    python tools/analysis_tools/benchmark.py                                  # embedded pictures
    python tools/analysis_tools/benchmark.py --images DIR --limit 8 --json speed.json
    python tools/analysis_tools/benchmark.py --profile   # the time of each stage

AlexNet (random weights) + FCa/FCb, the paper's nine scales. Modes are interleaved and repeated;
the table has medians. *naive* is what one writes first: each patch cropped by Pillow, float32,
batches of 64 through torchvision's layers. *ceiling* is the same network, dtype and memory format
on ready tensors, best of batch 32, 64, 128: what no cropping can beat; dense modes share the
convolutions and pass it. *map_share* is what score maps of all 20 classes would add to a test, as a
share of it. A dense grid has its own number of patches: compare images.
"""

import argparse
import glob
import json
import os.path as osp

import torch
from mmengine.registry import init_default_scope

from tcnn_mm.benchmarks.inference_speed import NETWORKS, test_rows
from tcnn_mm.benchmarks.timers import timed
from tcnn_mm.benchmarks.training_speed import training_rows
from tcnn_mm.cli.errors import run_tool
from tcnn_mm.datasets.image_io import load_rgb_chw
from tcnn_mm.datasets.mini_voc.dataset import MiniVOC
from tcnn_mm.errors import UserError
from tcnn_mm.models.encoder.hardware import describe_machine


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

    cpu = torch.device('cpu')
    took, images = timed(lambda: [torch.from_numpy(load_rgb_chw(path)) for path in paths], cpu)
    devices = [torch.device('cuda')] if torch.cuda.is_available() else []
    result = dict(machine=describe_machine(), test=[], train=[])
    result['loader'] = dict(images_per_s=len(paths) / took)
    for device in [cpu, *devices]:
        result['test'] += test_rows(images, device, args.repeats, args.stride, args.profile)
        for name in NETWORKS:
            result['train'] += training_rows(images, device, args.repeats, name)
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
