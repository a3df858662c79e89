"""Scores of every image by a head that did not see it, and what is measured and chosen on them.

Letters: N images, K classes, R repeats, F folds.
"""

import json
import os.path as osp
from typing import Any, NamedTuple

import numpy as np

from tcnn_mm.checkpoints.atomic_write import atomic_write
from tcnn_mm.checkpoints.weight_paths import file_digest
from tcnn_mm.engine.fold_heads import FoldHeads, FoldHeadsHook
from tcnn_mm.engine.open_runner import open_runner
from tcnn_mm.estimator.fit_results import (
    add_overlays,
    bank_labels,
    keep_test_only,
    store_choice,
)
from tcnn_mm.estimator.fold_training import train_folds
from tcnn_mm.estimator.result_table import result_table
from tcnn_mm.estimator.training import read_config, tell, unique_name
from tcnn_mm.evaluation.cross_validated import cross_validated_intervals
from tcnn_mm.evaluation.intervals import APIntervals
from tcnn_mm.patches.geometry import DAMPING
from tcnn_mm.reports.run_artifacts import SUMMARY, read_fold_of, read_scores

# In the work dir of the folds: digests of the heads that scored.
SCORED = 'scored.txt'
RESULTS = ('voc_ap.json', 'image_scores.csv')


def cross_validate(path: str, overlays: int = 20, processes: int | None = None) -> None:
    """Train a head per fold and score every image by the one that did not see it.

    Leaves the work dir of a test in `cross_validation.work_dir` of the config: voc_ap.json and
    image_scores.csv of all images, by the first division into folds; the same of each further one
    in its folder repeat_N.

    Args:
        path: The config, with its bank made.
        overlays: How many images are drawn with their maps.
        processes: See :func:`train_folds`.
    """
    heads = train_folds(path, processes)
    for repeat, checkpoints in enumerate(heads, 1):
        folder = repeat_folder(read_config(path).cross_validation.work_dir, repeat)
        digests = '\n'.join(map(file_digest, checkpoints))
        if _is_scored(folder, digests):
            tell(f'{folder}: scores of these heads exist: not scored again')
            continue
        score_folds(path, repeat, checkpoints, overlays if repeat == 1 else 0)
        with atomic_write(osp.join(folder, SCORED)) as file:
            file.write(digests)


def repeat_folder(work_dir: str, repeat: int) -> str:
    """Work dir of one division into folds, from 1."""
    return work_dir if repeat == 1 else osp.join(work_dir, f'repeat_{repeat}')


def _is_scored(folder: str, digests: str) -> bool:
    """Whether the results in a folder are those of these heads."""
    if not all(osp.isfile(osp.join(folder, name)) for name in (SCORED, *RESULTS)):
        return False
    with open(osp.join(folder, SCORED), encoding='utf-8') as file:
        return file.read() == digests


def score_folds(path: str, repeat: int, checkpoints: list[str], overlays: int) -> None:
    """Test all images, each by the head of its fold."""
    cfg = read_config(path)
    folds = cfg.cross_validation
    cfg.work_dir = repeat_folder(folds.work_dir, repeat)
    cfg.experiment_name = unique_name('fit_folds')
    cfg.test_dataloader = dict(
        batch_size=1,
        num_workers=0,
        sampler=dict(type='DefaultSampler', shuffle=False),
        collate_fn=dict(type='tcnn_mm.pseudo_collate'),
        dataset=dict(cfg.train_dataloader.dataset, test_mode=True),
    )
    metrics: list[dict[str, Any]] = [
        dict(type='tcnn_mm.VOCDevkitAP', mode=mode) for mode in ('voc10', 'voc07')
    ]
    if folds.pointing:
        metrics.append(dict(type='tcnn_mm.PointLocalization', mode='voc10', damping=DAMPING))
    cfg.test_evaluator, cfg.test_cfg = metrics, dict()
    keep_test_only(cfg)
    fold_of = read_fold_of(folds.lists, folds.folds, repeat)
    if overlays:
        add_overlays(cfg, overlays, len(fold_of))
    with open_runner(cfg) as runner:
        runner.register_hook(FoldHeadsHook(FoldHeads(checkpoints, fold_of)))
        runner.test()


class HeldOutScores(NamedTuple):
    """Scores of all images by heads that did not see them.

    Attributes:
        classes (list[str]): K names.
        scores (ndarray): (R, N, K).
        labels (ndarray): (N, K) of {1, 0, -1}.
        ids (list[str]): N image ids.
    """

    classes: list[str]
    scores: np.ndarray
    labels: np.ndarray
    ids: list[str]


def read_held_out(path: str) -> HeldOutScores:
    """Read what :func:`cross_validate` left, in the order of the bank.

    Args:
        path: The config.
    """
    cfg = read_config(path)
    folds = cfg.cross_validation
    ids, labels = bank_labels(cfg.train_dataloader.dataset.bank)
    at = {image_id: n for n, image_id in enumerate(ids)}
    found: list[np.ndarray] = []
    rows: np.ndarray = np.zeros(0, np.int64)
    for repeat in range(1, folds.repeats + 1):
        file = osp.join(repeat_folder(folds.work_dir, repeat), 'image_scores.csv')
        scores = read_scores(file)
        if scores is None:
            raise FileNotFoundError(file)
        number = np.array([at[image_id] for image_id in scores.ids])
        order = np.argsort(number)
        rows = number[order]
        found.append(scores.values[order])
    return HeldOutScores(
        list(cfg.classes), np.stack(found), labels[rows], [ids[row] for row in rows]
    )


def choose_by_folds(path: str, checkpoint: str) -> tuple[dict[str, float], list[str]]:
    """Choose thresholds and calibrate on the held-out scores; state the AP with its intervals.

    Args:
        path: The config.
        checkpoint: Gets thresholds and calibration.

    Returns:
        Class → threshold, nan for a class without positives; and the tables of results.
    """
    held_out = read_held_out(path)
    repeats, images, _ = held_out.scores.shape
    folds = read_config(path).cross_validation.folds
    thresholds = store_choice(
        checkpoint,
        held_out.classes,
        np.concatenate(held_out.scores),
        np.concatenate([held_out.labels] * repeats),
        f'{images} images, each scored by a head that did not see it ({folds} folds)',
    )
    return thresholds, fold_result_lines(path, held_out, summarise(path, held_out), thresholds)


def summarise(path: str, held_out: HeldOutScores) -> APIntervals:
    """Compute the intervals of the AP; write them into the work dir of the folds."""
    folds = read_config(path).cross_validation
    metric = 'voc10'
    found = cross_validated_intervals(held_out.scores, held_out.labels, metric)
    plain = [
        json_figures(ap=each.value, low=each.low, high=each.high)
        for each in (*found.classes, found.mean)
    ]
    with atomic_write(osp.join(folds.work_dir, SUMMARY)) as file:
        json.dump(
            dict(
                metric=metric,
                folds=folds.folds,
                repeats=folds.repeats,
                images=len(held_out.labels),
                mean=plain[-1],
                classes=dict(zip(held_out.classes, plain, strict=False)),
            ),
            file,
            indent=2,
            ensure_ascii=False,
        )
    return found


def json_figures(**figures: float) -> dict[str, float | None]:
    """Figures for JSON: None where one is not defined."""
    return {key: None if np.isnan(value) else float(value) for key, value in figures.items()}


def fold_result_lines(
    path: str, held_out: HeldOutScores, found: APIntervals, thresholds: dict[str, float]
) -> list[str]:
    """The tables of a cross-validation, see :func:`result_table`."""
    folds = read_config(path).cross_validation
    with open(osp.join(folds.work_dir, 'voc_ap.json'), encoding='utf-8') as file:
        reports = json.load(file)
    times = f' × {folds.repeats}' if folds.repeats > 1 else ''
    images = f'images, cross-validated ({folds.folds} folds{times})'
    return result_table(reports, held_out.labels, thresholds, images, found)
