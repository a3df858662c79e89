"""Compare how well score maps and class activation maps point at objects."""

import copy
import os.path as osp
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.config import Config

from tcnn_mm.analysis.cam import ActivationMaps
from tcnn_mm.datasets.source_images import SizedDataset, image_config
from tcnn_mm.engine.build_bank import build_banks
from tcnn_mm.engine.open_runner import open_runner
from tcnn_mm.engine.patch_scores import PatchScoresHook
from tcnn_mm.engine.progress import progress_bar
from tcnn_mm.evaluation.metric_settings import metric_settings
from tcnn_mm.evaluation.point_localization import PointLocalization
from tcnn_mm.evaluation.pointing import point_report, points_found
from tcnn_mm.inference.build_model import build_model
from tcnn_mm.models.samples import sample_labels
from tcnn_mm.registry import DATASETS, HOOKS, config_builds


def vote_metrics(cfg: Config, checkpoint: str) -> dict[str, PointLocalization]:
    """Test a config with its `PointLocalization`, and undamped where its maps are damped.

    Returns:
        'votes' and perhaps 'undamped' → the metric after the test.
    """
    cfg = copy.deepcopy(cfg)
    # The results of the config's own metrics stay where they are.
    cfg.work_dir = osp.join(cfg.work_dir, 'compare_pointing')
    cfg.load_from = checkpoint
    cfg.train_dataloader = cfg.train_cfg = cfg.optim_wrapper = cfg.param_scheduler = None
    cfg.val_dataloader = cfg.val_cfg = cfg.val_evaluator = None
    settings = dict(metric_settings(cfg, PointLocalization), type='tcnn_mm.PointLocalization')
    metrics = {'votes': settings}
    if settings.get('damping'):
        metrics['undamped'] = dict(settings, damping=0, prefix='undamped')
    cfg.test_evaluator = list(metrics.values())
    hooks = cfg.get('custom_hooks', [])
    if not any(config_builds(hook, HOOKS, PatchScoresHook) for hook in hooks):
        cfg.custom_hooks = [*hooks, dict(type='tcnn_mm.PatchScoresHook')]
    with open_runner(cfg) as runner:
        runner.test()
    return dict(zip(metrics, runner.test_evaluator.metrics, strict=True))


def cam_report(
    maps: ActivationMaps,
    train: SizedDataset,
    test: SizedDataset,
    classes: Sequence[str],
    metric: PointLocalization,
) -> dict[str, Any]:
    """Train class activation maps on image labels and report their pointing like the votes'.

    Args:
        maps: Not yet trained.
        train, test: Images.
        classes: K names.
        metric: Whose tolerances, mode and subset are used.
    """
    maps.fit(train)
    scores, labels, found = [], [], []
    number = len(test)
    bar = progress_bar(number, 'image')
    for i in range(number):
        item = test[i]
        sample = item['data_samples']
        mine = sample_labels(sample, len(classes))
        present = np.flatnonzero(mine > 0)
        image_scores, points = maps.point(item['inputs'], present)
        easy = ~sample.gt_bboxes_difficult
        boxes, names = sample.gt_bboxes[easy].numpy(), sample.gt_bboxes_labels[easy].numpy()
        hits = np.zeros((2, len(classes)), bool)
        for row, tolerance in zip(hits, (metric.tolerance, metric.hit_tolerance), strict=True):
            row[present] = points_found(points, present, boxes, names, tolerance)
        scores.append(image_scores)
        labels.append(mine)
        found.append(hits)
        bar.update()
    bar.close()
    both = np.stack(found)
    return point_report(
        classes,
        np.stack(scores),
        np.stack(labels),
        both[:, 0],
        both[:, 1],
        metric.mode,
        metric.subset,
    )


def compare_pointing(
    cfg: Config, checkpoint: str, cam_scales: Sequence[float], trust: bool = False
) -> tuple[PointLocalization, dict[str, Any]]:
    """Compare votes, the centre of the image and class activation maps.

    Args:
        cfg: The experiment.
        checkpoint: Whose votes are tested.
        cam_scales: Shorter side of the images in patch sides, per activation map.
        trust: See `load_safely`.

    Returns:
        The metric of the votes, and a report per way of pointing.
    """
    build_banks(cfg, ['test'])
    voted = vote_metrics(cfg, checkpoint)
    metric = voted['votes']
    reports = {name: each.reports['votes'] for name, each in voted.items()}
    reports['centre'] = metric.reports['centre']
    if cam_scales:
        model = build_model(cfg, checkpoint, trust)
        train, test = (
            DATASETS.build(image_config(cfg[f'{split}_dataloader'].dataset))
            for split in ('train', 'test')
        )
        for scale in cam_scales:
            maps = ActivationMaps(model, scale)
            reports[f'CAM λ={scale:g}'] = cam_report(
                maps, train, test, metric.class_names(), metric
            )
    return metric, reports


def report_lines(
    reports: dict[str, Any], classes: Sequence[str], subset: Sequence[str] | None
) -> list[str]:
    """AP (hit rate) per class and way of pointing, as text."""
    wide = max(map(len, [*classes, 'subset']))
    lines = [f'{"AP % (hits %)":{wide}}' + ''.join(f'{name:>16}' for name in reports)]

    def line(name: str, cells: list[tuple[float | None, float]]) -> str:
        return f'{name:{wide}}' + ''.join(f'{_cell(*cell):>16}' for cell in cells)

    for name in classes:
        rows = [report['classes'][name] for report in reports.values()]
        lines.append(line(name, [(row['ap'], row['hit_rate']) for row in rows]))
    for name, end in (('mean', ''), *([('subset', '_subset')] if subset else [])):
        lines.append(line(name, [(r[f'mAP{end}'], r[f'hit_rate{end}']) for r in reports.values()]))
    return [*lines, *([f'subset: {", ".join(subset)}'] if subset else [])]


def _cell(ap: float | None, hits: float) -> str:
    return '–' if ap is None else f'{100 * ap:.1f} ({100 * hits:.1f})'
