"""What the votes are worth: the same frozen features without patches, on the same pictures.

    python tools/analysis_tools/compare_baselines.py configs/mixing/tcnn_mobilenetv2_voc07.py
    python tools/analysis_tools/compare_baselines.py CONFIG --whole-only --full   # seconds

Four classifiers of whole pictures on the config's backbone (trained and scored on the config's
data): the picture squashed to one patch, and the mean of all the grid's windows, each with one
logistic regression a class and with the method's own head (FCa, FCb; K sigmoid outputs, log-loss,
the same optimizer). Difficult-only classes are left out of training and of AP.
"""

import argparse
import json

import numpy as np

from tcnn_mm.analysis.baselines import (
    WHOLE,
    WINDOWS,
    adaptation_head,
    describe_pictures,
    logistic_regression,
)
from tcnn_mm.analysis.prediction_cache import build_model, picture_config
from tcnn_mm.cli.arguments import add_common_arguments, load_config_from
from tcnn_mm.cli.errors import run_tool
from tcnn_mm.evaluation.average_precision import voc_ap
from tcnn_mm.registry import DATASETS


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_common_arguments(parser)
    parser.add_argument('--whole-only', action='store_true', help='skip the windows (the cost)')
    parser.add_argument('--full', action='store_true', help="ignore the config's lists of ids")
    parser.add_argument('--seeds', type=int, default=3, help='of the head')
    parser.add_argument('--subset', nargs='*', help="classes of the mean; default: the metric's")
    parser.add_argument('--mode', default='voc07', choices=['voc07', 'voc10'])
    parser.add_argument('--json', help='write the table here too')
    return parser.parse_args()


def main():
    args = parse_args()
    cfg = load_config_from(args)
    sets = {}
    for split in ('train', 'test'):
        dataset = dict(cfg[f'{split}_dataloader'].dataset)
        if not dataset.get('test_mode'):
            dataset = picture_config(dataset)  # a bank of sampled patches: its pictures
        if args.full:
            dataset['ids'] = None
        sets[split] = DATASETS.build(dataset)
    model = build_model(cfg)
    classes = sets['test'].metainfo['classes']
    wanted = args.subset or cfg.get('main_classes') or classes
    index = [classes.index(name) for name in wanted]
    train = describe_pictures(model, sets['train'], not args.whole_only)
    test = describe_pictures(model, sets['test'], not args.whole_only)
    labels, truth = train['labels'], test['labels']

    def mean_ap(scores):
        return float(np.mean([voc_ap(scores[:, k], truth[:, k], args.mode) for k in index]))

    table = {}
    for name in [name for name in (WHOLE, WINDOWS) if name in train and name in test]:
        pair = train[name], labels, test[name]
        table[f'{name}, logistic regression'] = [mean_ap(logistic_regression(*pair))]
        table[f'{name}, same head'] = [
            mean_ap(adaptation_head(*pair, cfg.model.head, seed)) for seed in range(args.seeds)
        ]
    print(f'\n{args.mode} AP, mean of {", ".join(wanted)}; {len(labels)} → {len(truth)} pictures')
    for name, values in table.items():
        print(f'{name:38} {np.mean(values):.4f}  ({min(values):.4f}–{max(values):.4f})')
    if args.json:
        with open(args.json, 'w', encoding='utf-8') as file:
            json.dump(dict(mode=args.mode, classes=list(wanted), rows=table), file, indent=2)


if __name__ == '__main__':
    run_tool(main)
