"""What the score maps are worth: do they point at the object, and who else does?

    python tools/analysis_tools/compare_pointing.py configs/tcnn_minivoc.py CHECKPOINT

One test pass gives the votes' points (on the config's map, and where that is damped on the paper's
too) and the guess at the middle of each picture, with the same image scores. A class activation
map of the same frozen network, trained on the config's training pictures with image labels alone,
gives points and scores of its own, at each of `--cam-scales` (the picture's shorter side in patch
sides). Prints AP and hit rate per class, writes compare_pointing.json into the work dir.
"""

import argparse
import copy
import json
import os.path as osp

import numpy as np
from mmengine.runner import Runner

from tcnn_mm.analysis.cam import ActivationMaps
from tcnn_mm.analysis.prediction_cache import build_model, metric_settings, picture_config
from tcnn_mm.checkpoints.atomic_write import atomic_write
from tcnn_mm.cli.arguments import add_common_arguments, load_config_from
from tcnn_mm.cli.errors import run_tool
from tcnn_mm.engine.build_bank import build_banks
from tcnn_mm.engine.progress import progress_bar
from tcnn_mm.evaluation.pointing import point_report, points_found
from tcnn_mm.models.samples import sample_labels
from tcnn_mm.registry import DATASETS


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_common_arguments(parser)
    parser.add_argument('checkpoint', help='of the head whose votes are tested')
    parser.add_argument(
        '--cam-scales', type=float, nargs='*', default=[1.0, 2.0], help='none: without CAM'
    )
    return parser.parse_args()


def votes(cfg, checkpoint):
    """The metrics of one test of the config: its `PointLocalization`, and on the paper's map.

    Returns:
        dict: column → metric after the test; one alone where the config's map is the paper's.
    """
    cfg = copy.deepcopy(cfg)
    # The results of the config's own metrics stay where they are.
    cfg.work_dir = osp.join(cfg.work_dir, 'compare_pointing')
    cfg.load_from = checkpoint
    cfg.train_dataloader = cfg.train_cfg = cfg.optim_wrapper = cfg.param_scheduler = None
    cfg.val_dataloader = cfg.val_cfg = cfg.val_evaluator = None
    settings = dict(metric_settings(cfg, 'PointLocalization'), type='tcnn_mm.PointLocalization')
    metrics = {'votes': settings}
    if settings.get('damping'):
        metrics['undamped'] = dict(settings, damping=0, prefix='undamped')
    cfg.test_evaluator = list(metrics.values())
    hooks = cfg.get('custom_hooks', [])
    if not any(hook['type'].endswith('PatchScoresHook') for hook in hooks):
        cfg.custom_hooks = [*hooks, dict(type='tcnn_mm.PatchScoresHook')]
    runner = Runner.from_cfg(cfg)
    runner.test()
    return dict(zip(metrics, runner.test_evaluator.metrics, strict=True))


def cam_report(maps, train, test, classes, metric):
    """The same report for class activation maps, trained and tested on pictures."""
    maps.fit(train)
    scores, labels, found = [], [], []
    bar = progress_bar(len(test), 'image')
    for i in range(len(test)):
        item = test[i]
        sample = item['data_samples']
        mine = sample_labels(sample, len(classes))
        present = np.flatnonzero(mine > 0)
        said, points = maps.point(item['inputs'], present)
        easy = ~sample.gt_bboxes_difficult
        boxes, names = sample.gt_bboxes[easy].numpy(), sample.gt_bboxes_labels[easy].numpy()
        hits = np.zeros((2, len(classes)), bool)
        for row, tolerance in zip(hits, (metric.tolerance, metric.hit_tolerance), strict=True):
            row[present] = points_found(points, present, boxes, names, tolerance)
        scores.append(said)
        labels.append(mine)
        found.append(hits)
        bar.update()
    bar.close()
    found = np.stack(found)
    return point_report(
        classes,
        np.stack(scores),
        np.stack(labels),
        found[:, 0],
        found[:, 1],
        metric.mode,
        metric.subset,
    )


def show(reports, classes, subset):
    """A line a class: AP (hit rate) of every way."""
    wide = max(map(len, [*classes, 'subset']))
    print('\n' + f'{"AP % (hits %)":{wide}}' + ''.join(f'{name:>16}' for name in reports))

    def line(name, cells):
        print(f'{name:{wide}}' + ''.join(f'{_cell(*cell):>16}' for cell in cells))

    for name in classes:
        rows = [report['classes'][name] for report in reports.values()]
        line(name, [(row['ap'], row['hit_rate']) for row in rows])
    for name, end in (('mean', ''), *([('subset', '_subset')] if subset else [])):
        line(name, [(r[f'mAP{end}'], r[f'hit_rate{end}']) for r in reports.values()])
    if subset:
        print(f'subset: {", ".join(subset)}')


def _cell(ap, hits):
    return '–' if ap is None else f'{100 * ap:.1f} ({100 * hits:.1f})'


def main():
    args = parse_args()
    cfg = load_config_from(args)
    build_banks(cfg, ['test'])
    voted = votes(cfg, args.checkpoint)
    metric = voted['votes']
    classes = metric.class_names()
    reports = {name: each.reports['votes'] for name, each in voted.items()}
    reports['centre'] = metric.reports['centre']
    if args.cam_scales:
        model = build_model(cfg, args.checkpoint, args.trust_checkpoint)
        train, test = (
            DATASETS.build(picture_config(cfg[f'{split}_dataloader'].dataset))
            for split in ('train', 'test')
        )
    for scale in args.cam_scales:
        maps = ActivationMaps(model, scale)
        reports[f'CAM λ={scale:g}'] = cam_report(maps, train, test, classes, metric)
    print(
        f'\n{len(metric.scores[0])} pictures; {metric.mode} AP within {metric.tolerance} px of a '
        f'box, hits within {metric.hit_tolerance} px'
    )
    show(reports, classes, metric.subset)
    with atomic_write(osp.join(cfg.work_dir, 'compare_pointing.json')) as file:
        json.dump(dict(metric=metric.report, ways=reports), file, indent=2)


if __name__ == '__main__':
    run_tool(main)
