"""How far the probabilities of a checkpoint can be trusted, and AP with intervals, on test images.

Letters: N images, K classes.
"""

from collections.abc import Mapping

import numpy as np

from tcnn_mm.checkpoints.loading import load_safely
from tcnn_mm.errors import UserError
from tcnn_mm.evaluation.average_precision import MODES
from tcnn_mm.evaluation.calibration import (
    class_probabilities,
    cross_fitted_probabilities,
    recorded_calibration,
    reliability,
)
from tcnn_mm.evaluation.intervals import ap_intervals, resample
from tcnn_mm.reports.examples import TestImages
from tcnn_mm.reports.facts import APInterval, Figure, Figures, Intervals
from tcnn_mm.reports.run_artifacts import HeldOut, RunArtifacts
from tcnn_mm.visualization.curves import reliability_curve, to_svg

COVERS = (
    "The interval of a class takes its AP as a share of its positive images (Wilson's interval); "
    'those of the classes are combined for the mean.'
)


def collect_intervals(run: RunArtifacts, images: TestImages | None) -> Intervals | None:
    """Intervals of the first AP of the results; None without labels, or for another metric."""
    if images is None or run.scores is None or not run.reports:
        return None
    metric = run.reports[0]['metric']
    if metric not in MODES:
        return None
    found = ap_intervals(resample(run.scores.values, images.labels, metric))
    bounds = [
        None if np.isnan(each.low) else APInterval(each.low, each.high)
        for each in (*found.classes, found.mean)
    ]
    return Intervals(metric, dict(zip(run.scores.classes, bounds[:-1], strict=True)), bounds[-1])


def fold_intervals(held_out: HeldOut) -> Intervals:
    """Intervals of a cross-validation, as the fit computed them."""

    def bounds(row: Mapping[str, float | None]) -> APInterval | None:
        low, high = row['low'], row['high']
        return None if low is None or high is None else APInterval(low, high)

    summary = held_out.summary
    classes = {name: bounds(row) for name, row in summary['classes'].items()}
    return Intervals(summary['metric'], classes, bounds(summary['mean']), COVERS)


def collect_probabilities(
    run: RunArtifacts,
    images: TestImages | None,
    trouble: str,
    trust: bool = False,
    folds: np.ndarray | None = None,
) -> Figures:
    """The share of positive test images over their predicted probability, all classes together.

    Args:
        run: Of the work directory.
        images: Its test images; None if they could not be read.
        trouble: Why.
        trust: See :func:`load_safely`.
        folds: (N,) the fold of each image, where they are cross-validated: the curves of the
            checkpoint were fitted on them, so others are fitted without each fold.
    """
    if images is None or run.scores is None:
        return Figures(note=trouble)
    if run.checkpoint is None:
        return Figures(note='There is no checkpoint in this folder.')
    try:
        meta = load_safely(run.checkpoint, trust=trust).get('meta') or {}
        curves = recorded_calibration(meta.get('tcnn_mm') or {}, run.checkpoint)
    except UserError as error:
        return Figures(note=f'The calibration could not be read: {error}')
    if not curves:
        return Figures(
            note='The checkpoint has no calibration: its scores rank images and are no '
            'probabilities. python tools/analysis_tools/choose_thresholds.py CONFIG CHECKPOINT '
            'calibrates it on validation images.'
        )
    columns = [name for name in run.scores.classes if curves.get(name) is not None]
    where = [run.scores.classes.index(name) for name in columns]
    values, labels = run.scores.values[:, where], images.labels[:, where]
    if folds is None:
        p = class_probabilities(values, [curves[name] for name in columns])
    else:
        p = cross_fitted_probabilities(values, labels, folds)
    images_are = 'test' if folds is None else 'cross-validated'
    known = ~np.isnan(p)
    found = reliability(p[known], labels[known])
    without = len(run.scores.classes) - len(columns)
    return Figures(
        [
            Figure(
                to_svg(reliability_curve(found)),
                'Share of positive images over predicted probability',
                f'{len(p)} {images_are} images, {len(columns)} classes'
                + (f' ({without} have no calibration)' if without else '')
                + f'; mean distance from the diagonal (expected calibration error) '
                f'{100 * found.error:.1f} %',
            )
        ],
        said='The curves were fitted on validation images, not on these.'
        if folds is None
        else 'The curves here were fitted on the other folds; those of the checkpoint on all.',
    )
