"""Learning curves: AP over growing parts of the training set, for the votes and the baselines."""

import json
import os
import os.path as osp
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from mmengine.config import Config

from tcnn_mm.analysis.baselines import HEAD_STEPS, adaptation_head, logistic_regression
from tcnn_mm.analysis.cached_arrays import Arrays, cached_arrays
from tcnn_mm.analysis.image_features import largest_window_features
from tcnn_mm.analysis.prediction_cache import prediction_recipe
from tcnn_mm.analysis.short_run import train_and_test
from tcnn_mm.checkpoints.atomic_write import atomic_write
from tcnn_mm.datasets.bank_reading import FILES
from tcnn_mm.datasets.nested_subset import nested_subset
from tcnn_mm.datasets.source_images import image_config
from tcnn_mm.engine.build_bank import build_banks
from tcnn_mm.engine.progress import progress_bar
from tcnn_mm.errors import UserError
from tcnn_mm.evaluation.average_precision import mean_ap, voc_ap
from tcnn_mm.evaluation.metric_settings import metric_settings
from tcnn_mm.inference.build_model import build_model
from tcnn_mm.registry import DATASETS

METHODS = ('transfer', 'whole, LR', 'whole, head')
# method → fraction → (images, mean, min, max of mAP)
Summary = dict[str, dict[float, tuple[int, float, float, float]]]


class CurveFile:
    """Results by (method, fraction, seed), on disk as they come.

    Args:
        path (str): learning_curve.json.
        settings (dict): Of the curve.

    Raises:
        UserError: The file holds a curve of other settings.
    """

    def __init__(self, path: str, settings: Mapping[str, Any]) -> None:
        self.path, self.settings = path, settings
        self.runs: list[dict[str, Any]] = []
        if osp.isfile(path):
            with open(path, encoding='utf-8') as file:
                stored = json.load(file)
            if stored['settings'] != json.loads(json.dumps(settings)):
                raise UserError(
                    f'{path}: a curve of other settings ({stored["settings"]}); give another '
                    '--work-dir, or remove it'
                )
            self.runs = stored['runs']

    def has(self, method: str, fraction: float, seed: int) -> bool:
        """Return whether this run is there."""
        key = (method, fraction, seed)
        return any((r['method'], r['fraction'], r['seed']) == key for r in self.runs)

    def add(self, **result: Any) -> None:
        """Add a run and write the file."""
        self.runs.append(result)
        with atomic_write(self.path) as file:
            json.dump(dict(settings=self.settings, runs=self.runs), file, indent=2)

    def summary(self) -> Summary:
        """Mean and range over the seeds."""
        table: Summary = {}
        for method in dict.fromkeys(r['method'] for r in self.runs):
            for fraction in sorted({r['fraction'] for r in self.runs}):
                mine = [r for r in self.runs if (r['method'], r['fraction']) == (method, fraction)]
                if mine:
                    maps = [r['mAP'] for r in mine]
                    row = mine[0]['images'], float(np.mean(maps)), min(maps), max(maps)
                    table.setdefault(method, {})[fraction] = row
        return table


def whole_image_features(cfg: Config, split: str) -> Arrays:
    """Features, labels and ids of the images of a split, from `WORK_DIR/whole_images_SPLIT.npz`."""
    dataset = cfg[f'{split}_dataloader'].dataset.to_dict()
    if 'source' in dataset and not dataset.get('test_mode'):
        if osp.isfile(osp.join(dataset['bank'], FILES['whole'])):
            dataset['context'] = True
        else:
            dataset = image_config(dataset)
    return cached_arrays(
        osp.join(cfg.work_dir, f'whole_images_{split}.npz'),
        prediction_recipe(cfg, dataset),
        lambda: largest_window_features(build_model(cfg), DATASETS.build(dataset)),
    )


@dataclass
class LearningCurve:
    """One learning curve: what is trained and tested at each of its points.

    Attributes:
        cfg (Config): The experiment.
        metric (dict): Settings of `VOCDevkitAP`.
        train, test (dict): Of :func:`whole_image_features`.
        columns (list[int]): Classes of the mean.
        min_steps (int): Of a training.
        scratch (Config, optional): A network without pretraining.
        scratch_minutes (float): Of its training.
    """

    cfg: Config
    metric: dict[str, Any]
    train: Arrays
    test: Arrays
    columns: list[int]
    min_steps: int = 1000
    scratch: Config | None = None
    scratch_minutes: float = 5

    @property
    def methods(self) -> list[str]:
        """Names of the curves; the time of `scratch` is part of its name."""
        own = [f'scratch {self.scratch_minutes:g} min'] if self.scratch else []
        return [*METHODS, *own]

    def _ap(self, scores: np.ndarray) -> float:
        labels, mode = self.test['labels'], self.metric['mode']
        return mean_ap(voc_ap(scores[:, k], labels[:, k], mode) for k in self.columns)

    def point(self, method: str, fraction: float, seed: int) -> tuple[float, int, int]:
        """Train and test one point: mean AP as a fraction, images, steps."""
        labels = [np.flatnonzero(row > 0) for row in self.train['labels']]
        part = nested_subset(labels, fraction, seed)
        known = self.train['features'][part], self.train['labels'][part], self.test['features']
        if method == 'whole, LR':
            return self._ap(logistic_regression(*known)), len(part), 0
        if method == 'whole, head':
            scores = adaptation_head(*known, self.cfg.model.head, seed)
            return self._ap(scores), len(part), HEAD_STEPS
        name, work_dir = f'{fraction:g}_seed{seed}', self.cfg.work_dir
        path = osp.abspath(osp.join(work_dir, 'parts', f'{name}.txt'))
        os.makedirs(osp.dirname(path), exist_ok=True)
        with atomic_write(path) as file:
            file.write('\n'.join(self.train['ids'][i] for i in part) + '\n')
        folder = osp.join(work_dir, f'{method}_{name}'.replace(' ', '-'))
        if method == 'transfer':
            result = train_and_test(self.cfg, self.metric, folder, path, seed, self.min_steps)
        else:
            assert self.scratch is not None
            result = train_and_test(
                self.scratch, self.metric, folder, path, seed, minutes=self.scratch_minutes
            )
        return result[0], len(part), result[1]


def prepare_curve(
    cfg: Config,
    min_steps: int = 1000,
    scratch: Config | None = None,
    scratch_minutes: float = 5,
) -> LearningCurve:
    """Make the banks and features that all points of a curve share.

    Raises:
        UserError: The test data have no image of the classes of the mean.
    """
    metric = dict(dict(mode='voc07'), **metric_settings(cfg))
    build_banks(cfg, ('train', 'test'))
    os.makedirs(cfg.work_dir, exist_ok=True)
    train, test = (whole_image_features(cfg, split) for split in ('train', 'test'))
    classes = list(DATASETS.build(cfg.test_dataloader.dataset).metainfo['classes'])
    columns = [classes.index(name) for name in metric.get('subset') or classes]
    if not (test['labels'][:, columns] > 0).any():
        raise UserError('no test image has one of the classes of the mean')
    return LearningCurve(cfg, metric, train, test, columns, min_steps, scratch, scratch_minutes)


def run_curve(
    curve: LearningCurve, fractions: Sequence[float], seeds: int, file: CurveFile
) -> Summary:
    """Run all points of a curve that its file does not have."""
    wanted = [
        (method, fraction, seed)
        for fraction in fractions
        for seed in range(seeds)
        for method in curve.methods
    ]
    missing = [key for key in wanted if not file.has(*key)]
    bar = progress_bar(len(missing), 'run')
    for method, fraction, seed in missing:
        bar.set_description(f'{method} {fraction:g} {seed}')
        start = time.perf_counter()
        mean, images, steps = curve.point(method, fraction, seed)
        file.add(
            method=method,
            fraction=fraction,
            seed=seed,
            images=images,
            steps=steps,
            mAP=mean,
            seconds=round(time.perf_counter() - start, 1),
        )
        bar.update()
    bar.close()
    return file.summary()
