"""Read what a run left in its work directory: config, logs, scores, results, checkpoint."""

import csv
import glob
import json
import os
import os.path as osp
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from mmengine.config import Config

from tcnn_mm.checkpoints.config_text import read_dumped_config
from tcnn_mm.datasets.formats.id_list import read_ids
from tcnn_mm.errors import UserError

# In the work dir of the folds: what is stated of a cross-validation, with intervals.
SUMMARY = 'cross_validation.json'


class Scores(NamedTuple):
    """image_scores.csv: N ids, K class names, (N, K) float64."""

    ids: list[str]
    classes: list[str]
    values: np.ndarray


class HeldOut(NamedTuple):
    """Scores of all images of a fit, each by a head that did not see it.

    Attributes:
        config (Config): Of the test of these images.
        reports (list[dict]): voc_ap.json.
        scores (Scores): image_scores.csv.
        summary (dict): cross_validation.json: folds, repeats, AP with intervals.
        checkpoints (list[str]): One per fold.
        fold_of (dict[str, int]): Image id → its fold, from 0.
    """

    config: Config
    reports: list[dict[str, Any]]
    scores: Scores
    summary: dict[str, Any]
    checkpoints: list[str]
    fold_of: dict[str, int]

    @property
    def said(self) -> str:
        """Which images the figures are of."""
        repeats = self.summary['repeats']
        times = f' The AP is the mean of {repeats} divisions into folds.' if repeats > 1 else ''
        return (
            f'{self.summary["images"]} images, each scored by a head that did not see it '
            f'({self.summary["folds"]} folds).{times}'
        )

    def mean_reports(self) -> list[dict[str, Any]]:
        """The reports, with the AP of all repeats in the first."""
        first = dict(self.reports[0], mAP=self.summary['mean']['ap'])
        first['classes'] = {
            name: dict(row, ap=self.summary['classes'][name]['ap'])
            for name, row in first['classes'].items()
        }
        return [first, *self.reports[1:]]


class RunArtifacts(NamedTuple):
    """The contents of a work directory; what is missing is None or empty.

    Attributes:
        path (str): The folder.
        config (Config): Of its newest run.
        training (Config, optional): Of its newest training.
        reports (list[dict]): voc_ap.json.
        scores (Scores, optional): image_scores.csv.
        scalars (list[dict]): Values logged in training, by step.
        environment (dict): Of the newest run's log.
        checkpoint (str, optional): The file that was tested, else the newest one.
        tested (bool): `checkpoint` is that of the test: its features may be read instead of the
            images.
        held_out (HeldOut, optional): What the cross-validation of a fit left.
        cross_validated (bool): `config`, `reports` and `scores` are of it.
    """

    path: str
    config: Config
    training: Config | None
    reports: list[dict[str, Any]]
    scores: Scores | None
    scalars: list[dict[str, Any]]
    environment: dict[str, str]
    checkpoint: str | None
    tested: bool = True
    held_out: HeldOut | None = None
    cross_validated: bool = False

    def judged(self) -> 'RunArtifacts':
        """The run itself, or without a test of its own that of the images of its folds."""
        found = self.held_out
        if found is None or self.scores is not None or self.reports:
            return self
        return self._replace(
            config=found.config,
            reports=found.mean_reports(),
            scores=found.scores,
            cross_validated=True,
        )


def read_run_artifacts(path: str | os.PathLike[str]) -> RunArtifacts:
    """Read what `tcnn train` and `tcnn test` left in a folder.

    Raises:
        UserError: No such folder, or no run's config in it.
    """
    path = osp.abspath(path)
    configs = sorted(glob.glob(osp.join(glob.escape(path), '*.py')), key=osp.getmtime)
    if not configs:
        raise UserError(
            f'{path}: no config of a run in this folder; give the work directory of tcnn train or '
            'tcnn test'
        )
    config = read_dumped_config(configs[-1])
    runs = sorted(glob.glob(osp.join(glob.escape(path), '*', 'vis_data', 'scalars.json')))
    logs = [_read_lines(run) for run in runs]
    trained = [run for run, rows in zip(runs, logs, strict=True) if any('loss' in r for r in rows)]
    training = osp.join(osp.dirname(trained[-1]), 'config.py') if trained else None
    results = osp.join(path, 'voc_ap.json')
    reports = []
    if osp.isfile(results):
        with open(results, encoding='utf-8') as file:
            reports = json.load(file)
    return RunArtifacts(
        path,
        config,
        read_dumped_config(training) if training and osp.isfile(training) else None,
        reports,
        read_scores(osp.join(path, 'image_scores.csv')),
        join_scalars(logs),
        read_environment(sorted(glob.glob(osp.join(glob.escape(path), '*', '*.log')))),
        _find_checkpoint(path, config),
        held_out=read_held_out(path, config),
    )


def read_held_out(path: str, config: Config) -> HeldOut | None:
    """Read what the cross-validation of a fit left beside its run; None without one, or an
    unfinished one.
    """
    folds = config.get('cross_validation')
    if not folds:
        return None
    # The folder of the fit may have been moved since.
    out = osp.dirname(path)
    folder = next((f for f in (osp.join(out, 'folds'), folds.work_dir) if osp.isdir(f)), '')
    summary, scores = osp.join(folder, SUMMARY), read_scores(osp.join(folder, 'image_scores.csv'))
    if not folder or scores is None or not osp.isfile(summary):
        return None
    with open(summary, encoding='utf-8') as file:
        content = json.load(file)
    with open(osp.join(folder, 'voc_ap.json'), encoding='utf-8') as file:
        reports = json.load(file)
    names = [f'1_{fold}' for fold in range(1, folds.folds + 1)]
    lists = osp.join(osp.dirname(folder), 'splits', 'folds')
    return HeldOut(
        config=read_dumped_config(osp.join(folder, 'config.py')),
        reports=reports,
        scores=scores,
        summary=content,
        checkpoints=[osp.join(folder, name, _last_name(osp.join(folder, name))) for name in names],
        fold_of=read_fold_of(lists, folds.folds),
    )


def read_fold_of(lists: str, folds: int, repeat: int = 1) -> dict[str, int]:
    """Image id → the fold, from 0, in which it is held out.

    Args:
        lists: Folder of the lists of a fit's folds.
        folds: Their number.
        repeat: Which division into folds, from 1.
    """
    return {
        image_id: fold
        for fold in range(folds)
        for image_id in read_ids(osp.join(lists, f'{repeat}_{fold + 1}', 'held_out.txt'))
    }


def _last_name(folder: str) -> str:
    """Name of the newest checkpoint in a work dir; '' without one."""
    path = osp.join(folder, 'last_checkpoint')
    if not osp.isfile(path):
        return ''
    with open(path, encoding='utf-8') as file:
        return osp.basename(file.read().strip())


def _read_lines(path: str) -> list[dict[str, Any]]:
    with open(path, encoding='utf-8') as file:
        return [json.loads(line) for line in file if line.strip()]


def read_scores(path: str | os.PathLike[str]) -> Scores | None:
    """Read image_scores.csv; None where there is no such file."""
    if not osp.isfile(path):
        return None
    with open(path, encoding='utf-8', newline='') as file:
        (_, *classes), *rows = csv.reader(file)
    values = np.array([row[1:] for row in rows], np.float64).reshape(len(rows), len(classes))
    return Scores([row[0] for row in rows], classes, values)


def join_scalars(logs: Sequence[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Join the logs of several trainings in their order.

    From its first step on, a later run (resumed, or started again) replaces an earlier one.

    Args:
        logs: Lines of mmengine's scalars.json per run.
    """
    joined: list[dict[str, Any]] = []
    for rows in logs:
        rows = [row for row in rows if 'step' in row]
        if any('loss' in row for row in rows):
            joined = [row for row in joined if row['step'] < rows[0]['step']] + rows
    return joined


def read_environment(logs: Sequence[str]) -> dict[str, str]:
    """{'Python': …, 'PyTorch': …} of the newest log that has an environment; {} if none has."""
    for path in reversed(logs):
        with open(path, encoding='utf-8') as file:
            head = file.read(100_000)
        block = re.search(r'^System environment:\n(.*?)^Runtime environment', head, re.M | re.S)
        if block:
            # Lines of torch's build flags are indented otherwise.
            pairs = re.findall(r'^ {4}(\S[^:\n]*): (.+)$', block.group(1), re.M)
            return {key: value for key, value in pairs if 'compiling' not in key}
    return {}


def _find_checkpoint(path: str, config: Config) -> str | None:
    """The checkpoint that was tested, else the newest of the training."""
    last = osp.join(path, 'last_checkpoint')
    candidates = [config.get('load_from')]
    if osp.isfile(last):
        with open(last, encoding='utf-8') as file:
            newest = file.read().strip()
        # The folder may have been moved since.
        candidates += [newest, osp.join(path, osp.basename(newest))]
    there = [os.fspath(file) for file in candidates if file and osp.isfile(file)]
    return osp.abspath(there[0]) if there else None
