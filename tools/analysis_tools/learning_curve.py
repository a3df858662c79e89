"""How few pictures are enough: AP over growing parts of the training set.

    python tools/analysis_tools/learning_curve.py configs/tcnn_minivoc_bank.py
    python tools/analysis_tools/learning_curve.py CONFIG --fractions 0.02,0.05,0.1,0.25,0.5,1 \\
        --seeds 3 \\
        --scratch configs/tcnn_minivoc_no-pretrain.py --scratch-minutes 2

At each fraction and seed the same pictures train
  transfer     the config's run (its head, from its feature bank where it has one);
  whole, LR    one logistic regression a class on frozen features of whole pictures: the mean of
               their largest patches (λ = 1), from the banks where there are some;
  whole, head  the method's head (FCa, FCb) on the same;
  scratch      `--scratch CONFIG`: a network from random weights, for `--scratch-minutes`.
All are tested on the config's test data. Parts are nested, and stratified by class; part and
training are drawn anew for each seed. Training lasts the config's epochs, but at least
`--min-steps` steps (the schedule is stretched), so that small parts are trained as fully.

Results are kept in learning_curve.json as they come: an interrupted command goes on. Prints mean
(min–max) over the seeds, draws learning_curve.png.
"""

import argparse
import json
import os
import os.path as osp
import time

import numpy as np
from mmengine.config import Config
from tqdm import tqdm

from tcnn_mm.analysis.baselines import (
    HEAD_STEPS,
    adaptation_head,
    largest_windows,
    logistic_regression,
)
from tcnn_mm.analysis.prediction_cache import (
    build_model,
    keep,
    metric_settings,
    pass_recipe,
    picture_config,
)
from tcnn_mm.analysis.short_run import train_and_test
from tcnn_mm.checkpoints.atomic_write import atomic_write
from tcnn_mm.cli.arguments import add_common_arguments, load_config_from
from tcnn_mm.cli.errors import run_tool
from tcnn_mm.datasets.feature_bank import FILES
from tcnn_mm.datasets.nested_subset import nested_subset
from tcnn_mm.engine.build_bank import build_banks
from tcnn_mm.errors import UserError
from tcnn_mm.evaluation.average_precision import mean_ap, voc_ap
from tcnn_mm.registry import DATASETS

METHODS = ('transfer', 'whole, LR', 'whole, head')


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_common_arguments(parser)
    parser.add_argument('--fractions', default='0.02,0.05,0.1,0.25,0.5,1', help='of the pictures')
    parser.add_argument('--seeds', type=int, default=3)
    parser.add_argument('--min-steps', type=int, default=1000, help='of a training')
    parser.add_argument('--scratch', help='config of a network without pretraining; default: none')
    parser.add_argument('--scratch-minutes', type=float, default=5, help='for each of its runs')
    return parser.parse_args()


class Curve:
    """Results by (method, fraction, seed), on disk as they come.

    Raises:
        UserError: A curve of other settings stands at the path.
    """

    def __init__(self, path, settings):
        self.path, self.settings, self.runs = path, settings, []
        if osp.isfile(path):
            with open(path, encoding='utf-8') as file:
                stored = json.load(file)
            if stored['settings'] != json.loads(json.dumps(settings)):
                raise UserError(
                    f'{path}: a curve of other settings ({stored["settings"]}); give another '
                    '--work-dir, or remove it'
                )
            self.runs = stored['runs']

    def has(self, method, fraction, seed):
        key = (method, fraction, seed)
        return any((r['method'], r['fraction'], r['seed']) == key for r in self.runs)

    def add(self, **result):
        self.runs.append(result)
        with atomic_write(self.path) as file:
            json.dump(dict(settings=self.settings, runs=self.runs), file, indent=2)

    def summary(self):
        """method → fraction → (pictures, mean, min, max of mAP)."""
        table = {}
        for method in dict.fromkeys(r['method'] for r in self.runs):
            for fraction in sorted({r['fraction'] for r in self.runs}):
                mine = [r for r in self.runs if (r['method'], r['fraction']) == (method, fraction)]
                if mine:
                    maps = [r['mAP'] for r in mine]
                    row = mine[0]['pictures'], float(np.mean(maps)), min(maps), max(maps)
                    table.setdefault(method, {})[fraction] = row
        return table


def show(table, label):
    """The summary as text: a line a fraction."""
    print(f'\n{label}: mean (min–max over seeds)')
    print(f'{"pictures":>14}' + ''.join(f'{method:>22}' for method in table))
    for fraction in sorted({f for rows in table.values() for f in rows}):
        rows = [mine.get(fraction) for mine in table.values()]
        count = next(row[0] for row in rows if row)
        cells = [
            f'{100 * row[1]:.1f} ({100 * row[2]:.1f}–{100 * row[3]:.1f})' if row else '–'
            for row in rows
        ]
        print(f'{count:6d} {100 * fraction:5.4g} %' + ''.join(f'{cell:>22}' for cell in cells))


def draw(path, table, label):
    """The summary as a picture: means, and the range over seeds as a band."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure((6.4, 4.2), dpi=120, layout='constrained')
    FigureCanvasAgg(figure)
    axis = figure.subplots()
    for method, rows in table.items():
        count, mean, low, high = np.array(list(rows.values())).T
        (line,) = axis.plot(count, 100 * mean, 'o-', ms=4, label=method)
        axis.fill_between(count, 100 * low, 100 * high, alpha=0.2, color=line.get_color(), lw=0)
    counts = sorted({row[0] for rows in table.values() for row in rows.values()})
    axis.set_xscale('log')
    axis.set_xticks(counts, counts)
    axis.minorticks_off()
    axis.set(xlabel='training pictures', ylabel=label)
    axis.grid(alpha=0.3)
    axis.legend(fontsize=8)
    figure.savefig(path)


def whole_pictures(cfg, split):
    """What the baselines know of a split's pictures, once for all parts."""
    dataset = cfg[f'{split}_dataloader'].dataset.to_dict()
    if 'source' in dataset and not dataset.get('test_mode'):
        if osp.isfile(osp.join(dataset['bank'], FILES['whole'])):
            dataset['context'] = True
        else:
            dataset = picture_config(dataset)
    return keep(
        osp.join(cfg.work_dir, f'whole_pictures_{split}.npz'),
        pass_recipe(cfg, dataset),
        lambda: largest_windows(build_model(cfg), DATASETS.build(dataset)),
    )


def main():
    args = parse_args()
    cfg = load_config_from(args)
    fractions = [float(f) for f in args.fractions.split(',')]
    if args.scratch and not osp.isfile(args.scratch):
        raise UserError(f'--scratch {args.scratch}: no such config')
    scratch = Config.fromfile(args.scratch) if args.scratch else None
    metric = dict(dict(mode='voc07'), **metric_settings(cfg))
    settings = dict(config=osp.basename(args.config), metric=metric, min_steps=args.min_steps)
    methods = list(METHODS)
    if scratch:
        # The time is part of the name: another one is another curve.
        methods.append(f'scratch {args.scratch_minutes:g} min')
    build_banks(cfg, ('train', 'test'))
    os.makedirs(cfg.work_dir, exist_ok=True)
    curve = Curve(osp.join(cfg.work_dir, 'learning_curve.json'), settings)

    train, test = (whole_pictures(cfg, split) for split in ('train', 'test'))
    classes = list(DATASETS.build(cfg.test_dataloader.dataset).metainfo['classes'])
    columns = [classes.index(name) for name in metric.get('subset') or classes]
    if not (test['labels'][:, columns] > 0).any():
        raise UserError('no test picture has one of the classes of the mean')

    def ap_of(scores):
        return mean_ap(voc_ap(scores[:, k], test['labels'][:, k], metric['mode']) for k in columns)

    def one(method, fraction, seed):
        """Mean AP, pictures and steps of one point of the curve."""
        labels = [np.flatnonzero(row > 0) for row in train['labels']]
        part = nested_subset(labels, fraction, seed)
        if method in ('whole, LR', 'whole, head'):
            known = train['features'][part], train['labels'][part], test['features']
            if method == 'whole, LR':
                return ap_of(logistic_regression(*known)), len(part), 0
            scores = adaptation_head(*known, cfg.model.head, seed)
            return ap_of(scores), len(part), HEAD_STEPS
        name = f'{fraction:g}_seed{seed}'
        path = osp.abspath(osp.join(cfg.work_dir, 'parts', f'{name}.txt'))
        os.makedirs(osp.dirname(path), exist_ok=True)
        with atomic_write(path) as file:
            file.write('\n'.join(train['ids'][i] for i in part) + '\n')
        folder = osp.join(cfg.work_dir, f'{method}_{name}'.replace(' ', '-'))
        if method == 'transfer':
            mean, steps = train_and_test(cfg, metric, folder, path, seed, args.min_steps)
        else:
            minutes = args.scratch_minutes
            mean, steps = train_and_test(scratch, metric, folder, path, seed, minutes=minutes)
        return mean, len(part), steps

    wanted = [
        (method, fraction, seed)
        for fraction in fractions
        for seed in range(args.seeds)
        for method in methods
    ]
    bar = tqdm([key for key in wanted if not curve.has(*key)], unit='run')
    for key in bar:
        bar.set_description(' '.join(map(str, key)))
        start = time.perf_counter()
        mean, pictures, steps = one(*key)
        curve.add(
            method=key[0], fraction=key[1], seed=key[2], pictures=pictures, steps=steps, mAP=mean,
            seconds=round(time.perf_counter() - start, 1),
        )  # fmt: skip
    table = curve.summary()
    names = metric.get('subset')
    label = f'{metric["mode"]} AP %, mean of {", ".join(names) if names else "all classes"}'
    show(table, label)
    draw(osp.join(cfg.work_dir, 'learning_curve.png'), table, label)
    print(f'{curve.path}, learning_curve.png')


if __name__ == '__main__':
    run_tool(main)
