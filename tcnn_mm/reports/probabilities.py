"""How far the probabilities of a checkpoint can be trusted, and AP with intervals, on test images.

Letters: N images, K classes.
"""

import numpy as np

from tcnn_mm.checkpoints.loading import load_safely
from tcnn_mm.errors import UserError
from tcnn_mm.evaluation.average_precision import MODES
from tcnn_mm.evaluation.calibration import class_probabilities, recorded_calibration, reliability
from tcnn_mm.evaluation.intervals import ap_intervals, resample
from tcnn_mm.reports.examples import TestImages
from tcnn_mm.reports.facts import APInterval, Figure, Figures, Intervals
from tcnn_mm.reports.run_artifacts import RunArtifacts
from tcnn_mm.visualization.curves import reliability_curve, to_svg


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


def collect_probabilities(
    run: RunArtifacts, images: TestImages | None, trouble: str, trust: bool = False
) -> Figures:
    """The share of positive test images over their predicted probability, all classes together.

    Args:
        run: Of the work directory.
        images: Its test images; None if they could not be read.
        trouble: Why.
        trust: See :func:`load_safely`.
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
    p = class_probabilities(run.scores.values[:, where], [curves[name] for name in columns])
    found = reliability(p.ravel(), images.labels[:, where].ravel())
    without = len(run.scores.classes) - len(columns)
    return Figures(
        [
            Figure(
                to_svg(reliability_curve(found)),
                'Share of positive images over predicted probability',
                f'{len(p)} test images, {len(columns)} classes'
                + (f' ({without} have no calibration)' if without else '')
                + f'; mean distance from the diagonal (expected calibration error) '
                f'{100 * found.error:.1f} %',
            )
        ]
    )
