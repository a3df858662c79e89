"""Choose how patches vote: k = 1 … 20, the mean (k = 1), the max and log-sum-exp, on one test pass.

    python tools/analysis_tools/sweep_k.py configs/tcnn_minivoc.py CHECKPOINT --test
    python tools/analysis_tools/sweep_k.py configs/mixing/tcnn_mobilenetv2_voc07_rescore.py \\
        CHECKPOINT \\
        --loader train --ids data/VOCdevkit/VOC2007/ImageSets/Main/val.txt --test

The checkpoint's head must not have seen the pictures that choose: train it on `train`
(`--cfg-options train_dataloader.dataset.split=train`, or `….ids=` of a bank). The pass's patch
scores stay in the work dir (patch_scores_*.npz) and are read again while checkpoint, network and
data are the same. A model's `context` is left out: these are the votes alone. Writes sweep_k.json
and sweep_k.png. `--test`: the chosen one's figure on the config's test data, and no other's.
"""

import argparse
import json
import os.path as osp

import numpy as np
from mmengine.registry import MODELS as ROOT_MODELS

from tcnn_mm.analysis.prediction_cache import (
    build_model,
    choosing_set,
    keep,
    metric_settings,
    pass_recipe,
    patch_scores,
)
from tcnn_mm.checkpoints.atomic_write import atomic_write
from tcnn_mm.cli.arguments import add_common_arguments, load_config_from
from tcnn_mm.cli.errors import run_tool
from tcnn_mm.engine.build_bank import build_bank
from tcnn_mm.errors import UserError
from tcnn_mm.evaluation.average_precision import MODES
from tcnn_mm.evaluation.vote_sweep import best_of, candidates, sweep
from tcnn_mm.registry import DATASETS


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_common_arguments(parser)
    parser.add_argument('checkpoint', help='trained without the pictures that choose')
    parser.add_argument(
        '--loader', choices=['train', 'val', 'test'], default='test', help='whose pictures choose'
    )
    parser.add_argument('--split', help="of that data set; default: val, where it has a 'split'")
    parser.add_argument('--ids', help='a text file: only these of its pictures choose')
    parser.add_argument('--test', action='store_true', help="also the chosen one's test figure")
    parser.add_argument('--test-checkpoint', help='for it, e.g. of a head trained on trainval')
    parser.add_argument('--r', type=float, nargs='*', default=[1, 2, 5, 10, 20, 50])
    parser.add_argument('--mode', choices=MODES, help="default: the config's first metric's")
    parser.add_argument('--subset', nargs='*', help="classes of the mean; default: the metric's")
    return parser.parse_args()


def scored(cfg, dataset, checkpoint, path, trust):
    """The pass over a data set, from its file or made now."""
    if str(dataset['type']).endswith('FeatureBank'):
        build_bank(cfg, dataset)
    return keep(
        path,
        pass_recipe(cfg, dataset, checkpoint),
        lambda: patch_scores(build_model(cfg, checkpoint, trust), DATASETS.build(dataset)),
    )


def draw(path, rows, chosen, label):
    """The means as a picture: a curve over k, level lines for the rest, a star for the choice."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure((8, 4), dpi=120, layout='constrained')
    FigureCanvasAgg(figure)
    axis = figure.subplots()
    figures = {name: 100 * mean for name, (mean, _) in rows.items()}
    powers = {int(name[2:]): value for name, value in figures.items() if name[:2] == 'k='}
    axis.plot(list(powers), list(powers.values()), 'o-', ms=4, label='mean of y^k')
    others = [name for name in figures if name[:2] != 'k=']
    for i, name in enumerate(others):
        axis.axhline(figures[name], ls='--', lw=1, color=f'C{i + 1}', label=name)
    at = int(chosen[2:]) if chosen[:2] == 'k=' else max(powers)
    axis.plot(at, figures[chosen], 'k*', ms=11, label=f'chosen: {chosen}', zorder=3)
    low, high = min(figures.values()), max(figures.values())
    room = 0.06 * (high - low) + 0.01
    axis.set(xlabel='k', ylabel=label, xticks=list(powers), ylim=(low - room, high + room))
    axis.grid(alpha=0.3)
    figure.legend(fontsize=8, loc='outside right upper')
    figure.savefig(path)


def main():
    args = parse_args()
    cfg = load_config_from(args)
    settings = metric_settings(cfg)
    mode = args.mode or settings.get('mode', 'voc07')
    dataset = choosing_set(cfg, args.loader, args.split, args.ids)
    path = osp.join(cfg.work_dir, 'patch_scores_choose.npz')
    seen = scored(cfg, dataset, args.checkpoint, path, args.trust_checkpoint)
    classes = list(DATASETS.build(dataset).metainfo['classes'])
    wanted = list(args.subset or settings.get('subset') or classes)
    unknown = sorted(set(wanted) - set(classes))
    if unknown:
        raise UserError(f'--subset {unknown[0]}: the data set has {", ".join(classes)}')
    columns = [classes.index(name) for name in wanted]
    configs = candidates(rs=args.r)
    ways = {name: ROOT_MODELS.build(config) for name, config in configs.items()}
    rows = sweep(seen['scores'], seen['sizes'], seen['labels'], ways, mode, columns)
    if all(np.isnan(mean) for mean, _ in rows.values()):
        raise UserError(f'no picture that chooses has one of {", ".join(wanted)}')
    chosen = best_of(rows)
    label = (
        f'{mode} AP %, mean of {", ".join(wanted) if len(wanted) < 7 else f"{len(wanted)} classes"}'
    )
    print(f'\n{label}; {len(seen["ids"])} pictures choose')
    for name, (mean, _) in rows.items():
        print(f'{name:10} {100 * mean:6.2f}' + ('  <- chosen' if name == chosen else ''))
    result = dict(
        mode=mode,
        subset=wanted,
        pictures=len(seen['ids']),
        rows={
            name: dict(
                aggregator=configs[name],
                mAP=mean,
                classes={c: None if ap != ap else ap for c, ap in zip(classes, aps, strict=True)},
            )
            for name, (mean, aps) in rows.items()
        },
        chosen=chosen,
    )
    if args.test:
        checkpoint = args.test_checkpoint or args.checkpoint
        path = osp.join(cfg.work_dir, 'patch_scores_test.npz')
        test = cfg.test_dataloader.dataset.to_dict()
        seen = scored(cfg, test, checkpoint, path, args.trust_checkpoint)
        way = {chosen: ways[chosen]}
        mean, _ = sweep(seen['scores'], seen['sizes'], seen['labels'], way, mode, columns)[chosen]
        result['test'] = dict(mAP=mean, pictures=len(seen['ids']))
        print(f'{chosen} on the test data: {100 * mean:.2f} ({len(seen["ids"])} pictures)')
    draw(osp.join(cfg.work_dir, 'sweep_k.png'), rows, chosen, label)
    with atomic_write(osp.join(cfg.work_dir, 'sweep_k.json')) as file:
        json.dump(result, file, indent=2)
    print(
        f'model.aggregator of the chosen one: {configs[chosen]}; {cfg.work_dir}/sweep_k.json, .png'
    )


if __name__ == '__main__':
    run_tool(main)
