"""Choose how patches vote: k = 1 … 20 (1 is the mean), the max and log-sum-exp, in one pass.

    python tools/analysis_tools/sweep_k.py configs/tcnn_minivoc.py CHECKPOINT --test
    python tools/analysis_tools/sweep_k.py configs/mixing/tcnn_mobilenetv2_voc07_rescore.py \\
        CHECKPOINT \\
        --loader train --ids data/VOCdevkit/VOC2007/ImageSets/Main/val.txt --test

The checkpoint's head must not have seen the images that choose: train it on `train`
(`--cfg-options train_dataloader.dataset.split=train`, or `….ids=` of a bank). The pass's patch
scores stay in the work dir (patch_scores_*.npz) and are read again while checkpoint, network and
data are the same. A model's `context` is left out: these are the votes alone. Writes sweep_k.json
and sweep_k.png. `--test`: the chosen one's figure on the config's test data, and no other's.
"""

import argparse
import json
import os.path as osp

from tcnn_mm.analysis.curve_figures import draw_sweep
from tcnn_mm.analysis.k_sweep import chosen_on_test, sweep_k
from tcnn_mm.analysis.validation_set import validation_set
from tcnn_mm.checkpoints.atomic_write import atomic_write
from tcnn_mm.cli.arguments import add_common_arguments, load_config_from
from tcnn_mm.cli.errors import run_tool
from tcnn_mm.cli.numbers import real
from tcnn_mm.evaluation.average_precision import MODES


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_common_arguments(parser)
    parser.add_argument('checkpoint', help='trained without the validation set')
    parser.add_argument(
        '--loader',
        choices=['train', 'val', 'test'],
        default='test',
        help='whose images are the validation set',
    )
    parser.add_argument('--split', help="of that data set; default: val, where it has a 'split'")
    parser.add_argument('--ids', help='a text file: only these of its images')
    parser.add_argument('--test', action='store_true', help="also the chosen one's test figure")
    parser.add_argument('--test-checkpoint', help='for it, e.g. of a head trained on trainval')
    parser.add_argument('--r', type=real(0.001, 1000), nargs='*', default=[1, 2, 5, 10, 20, 50])
    parser.add_argument('--mode', choices=MODES, help="default: the config's first metric's")
    parser.add_argument('--subset', nargs='*', help="classes of the mean; default: the metric's")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    cfg = load_config_from(args)
    dataset = validation_set(cfg, args.loader, args.split, args.ids)
    trust = args.trust_checkpoint
    result = sweep_k(cfg, dataset, args.checkpoint, args.r, args.mode, args.subset, trust)
    print(f'\n{result.label}; validation set of {result.images} images')
    for name, (mean, _) in result.rows.items():
        print(f'{name:10} {100 * mean:6.2f}' + ('  <- chosen' if name == result.chosen else ''))
    record = result.record()
    if args.test:
        mean, images = chosen_on_test(cfg, result, args.test_checkpoint or args.checkpoint, trust)
        record['test'] = dict(mAP=mean, images=images)
        print(f'{result.chosen} on the test data: {100 * mean:.2f} ({images} images)')
    means = {name: mean for name, (mean, _) in result.rows.items()}
    draw_sweep(osp.join(cfg.work_dir, 'sweep_k.png'), means, result.chosen, result.label)
    with atomic_write(osp.join(cfg.work_dir, 'sweep_k.json')) as file:
        json.dump(record, file, indent=2)
    print(f'model.aggregator: {result.configs[result.chosen]}; {cfg.work_dir}/sweep_k.json, .png')


if __name__ == '__main__':
    run_tool(main)
