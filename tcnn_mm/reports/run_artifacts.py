"""What a run left in its work dir: config, logs, scores, results, checkpoint."""

import csv
import glob
import json
import os
import os.path as osp
import re
from typing import NamedTuple

import numpy as np
from mmengine.config import Config

from tcnn_mm.errors import UserError


class Scores(NamedTuple):
    """image_scores.csv: N ids, K class names, (N, K) float64."""

    ids: list
    classes: list
    values: np.ndarray


class WorkDir(NamedTuple):
    """A work dir, read; what is not there is None (or empty).

    Args:
        path (str): The folder.
        config (Config): Of its newest run.
        training (Config, optional): Of its newest training.
        reports (list[dict]): voc_ap.json.
        scores (Scores, optional): image_scores.csv.
        scalars (list[dict]): What trainings logged, by step.
        environment (dict): What the newest run's log says of the machine.
        checkpoint (str, optional): The file that was tested, else the newest one.
    """

    path: str
    config: Config
    training: Config | None
    reports: list
    scores: Scores | None
    scalars: list
    environment: dict
    checkpoint: str | None


def read_work_dir(path):
    """Read what tools/train.py and tools/test.py left in a folder.

    Raises:
        UserError: No such folder, or no run's config in it.
    """
    path = osp.abspath(path)
    configs = sorted(glob.glob(osp.join(glob.escape(path), '*.py')), key=osp.getmtime)
    if not configs:
        raise UserError(
            f'{path}: no config of a run in this folder; give the work dir of tools/train.py or '
            'tools/test.py'
        )
    config = Config.fromfile(configs[-1])
    runs = sorted(glob.glob(osp.join(glob.escape(path), '*', 'vis_data', 'scalars.json')))
    logs = [_read_lines(run) for run in runs]
    trained = [run for run, rows in zip(runs, logs, strict=True) if any('loss' in r for r in rows)]
    training = osp.join(osp.dirname(trained[-1]), 'config.py') if trained else None
    results = osp.join(path, 'voc_ap.json')
    reports = []
    if osp.isfile(results):
        with open(results, encoding='utf-8') as file:
            reports = json.load(file)
    return WorkDir(
        path,
        config,
        Config.fromfile(training) if training and osp.isfile(training) else None,
        reports,
        read_scores(osp.join(path, 'image_scores.csv')),
        join_scalars(logs),
        read_environment(sorted(glob.glob(osp.join(glob.escape(path), '*', '*.log')))),
        _find_checkpoint(path, config),
    )


def _read_lines(path):
    with open(path, encoding='utf-8') as file:
        return [json.loads(line) for line in file if line.strip()]


def read_scores(path):
    """image_scores.csv as :class:`Scores`; None where there is no such file."""
    if not osp.isfile(path):
        return None
    with open(path, encoding='utf-8', newline='') as file:
        (_, *classes), *rows = csv.reader(file)
    values = np.array([row[1:] for row in rows], np.float64).reshape(len(rows), len(classes))
    return Scores([row[0] for row in rows], classes, values)


def join_scalars(logs):
    """One log of several runs, in their order.

    A run that starts at a step which an earlier one had passed takes its place from there on:
    so does a resumed run, and a training that began anew.

    Args:
        logs (list[list[dict]]): Lines of mmengine's scalars.json, each run's.
    """
    joined = []
    for rows in logs:
        rows = [row for row in rows if 'step' in row]
        if any('loss' in row for row in rows):
            joined = [row for row in joined if row['step'] < rows[0]['step']] + rows
    return joined


def read_environment(logs):
    """{'Python': …, 'PyTorch': …} from the newest of these logs that tells; {} if none does."""
    for path in reversed(logs):
        with open(path, encoding='utf-8') as file:
            head = file.read(100_000)
        block = re.search(r'^System environment:\n(.*?)^Runtime environment', head, re.M | re.S)
        if block:
            # Lines of torch's build flags are indented otherwise.
            pairs = re.findall(r'^ {4}(\S[^:\n]*): (.+)$', block.group(1), re.M)
            return {key: value for key, value in pairs if 'compiling' not in key}
    return {}


def _find_checkpoint(path, config):
    last = osp.join(path, 'last_checkpoint')
    candidates = [config.get('load_from')]
    if osp.isfile(last):
        with open(last, encoding='utf-8') as file:
            newest = file.read().strip()
        # The folder may have been moved since.
        candidates += [newest, osp.join(path, osp.basename(newest))]
    there = [os.fspath(file) for file in candidates if file and osp.isfile(file)]
    return osp.abspath(there[0]) if there else None
