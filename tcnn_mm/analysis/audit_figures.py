"""How good an order of images is at finding planted errors: the audit's, cleanlab's, a random one.

The unit is an image: an order is judged by the share of images with an error among its first 20
(precision), and by the share of all images with an error among its first 50 (recall).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tcnn_mm.analysis.planted_errors import Planted
from tcnn_mm.evaluation.calibration import cross_fitted_probabilities
from tcnn_mm.labelling.audit import Check, audit
from tcnn_mm.labelling.held_out_run import HeldOutRun
from tcnn_mm.labelling.label_errors import fit_margins

FIRST, MOST = 20, 50
Record = dict[str, Any]


def measure(run: HeldOutRun, planted: Sequence[Planted]) -> Record:
    """Precision at 20 and recall at 50 of the audit, of cleanlab and of a random order.

    Returns:
        `images` N; `errors`, `visible_errors`: images with an error, and with one that changes the
        labels of the image as a whole; `audit`, `cleanlab`, `random`: figures for both; `kinds`:
        per error its number and how many were among the first 50 images; `right`: how many of the
        first 20 checks name a planted error with its class and place; `first`: these 20. None for
        cleanlab where it is not installed.
    """
    margins = fit_margins(run.images, run.scores, run.labels, run.folds)
    checks = audit(run.images, run.labels, margins)
    ids = [image.image_id for image in run.images]
    wrong = {each.image_id for each in planted}
    visible = {each.image_id for each in planted if each.visible}
    order = list(dict.fromkeys(check.image_id for check in checks))
    cleaned = cleanlab_order(run)
    found = {*order[:MOST]}
    kinds = {
        error: dict(
            planted=sum(each.error == error for each in planted),
            found=sum(each.error == error and each.image_id in found for each in planted),
        )
        for error in dict.fromkeys(each.error for each in planted)
    }
    of_image = {each.image_id: each for each in planted}
    right = [names(check, of_image.get(check.image_id)) for check in checks[:FIRST]]
    return dict(
        images=len(ids),
        errors=len(wrong),
        visible_errors=len(visible),
        checks=len(checks),
        right=sum(right),
        first=[
            dict(
                image=check.image_id,
                kind=check.kind,
                label=check.label,
                instead=check.instead,
                patch=list(check.patch),
                right=named,
            )
            for check, named in zip(checks[:FIRST], right, strict=True)
        ],
        kinds=kinds,
        audit=_figures(order, wrong, visible),
        cleanlab=None if cleaned is None else _figures(cleaned, wrong, visible),
        random=_random_figures(len(ids), len(wrong), len(visible)),
    )


def _figures(order: Sequence[str], wrong: set[str], visible: set[str]) -> dict[str, float]:
    """Precision and recall of an order of images, for all errors and for visible ones."""
    return dict(
        precision=len(wrong & {*order[:FIRST]}) / FIRST,
        recall=len(wrong & {*order[:MOST]}) / max(1, len(wrong)),
        visible_precision=len(visible & {*order[:FIRST]}) / FIRST,
        visible_recall=len(visible & {*order[:MOST]}) / max(1, len(visible)),
    )


def _random_figures(images: int, wrong: int, visible: int) -> dict[str, float]:
    """What a random order gives on average."""
    share = min(1.0, MOST / images)
    return dict(
        precision=wrong / images,
        recall=share,
        visible_precision=visible / images,
        visible_recall=share,
    )


def cleanlab_order(run: HeldOutRun) -> list[str] | None:
    """Image ids, the worst label quality first, by cleanlab; None where it is not installed.

    It gets the probabilities that the audit calibrates; where none can be told, the share of
    images with the class.
    """
    try:
        from cleanlab.multilabel_classification import get_label_quality_scores
    except ImportError:
        return None
    p = np.mean(
        [
            cross_fitted_probabilities(scores, run.labels, folds)
            for scores, folds in zip(run.scores, run.folds, strict=True)
        ],
        0,
    )
    p = np.where(np.isnan(p), (run.labels > 0).mean(0), p)
    quality = get_label_quality_scores([np.flatnonzero(row > 0).tolist() for row in run.labels], p)
    return [run.images[n].image_id for n in np.argsort(quality, kind='stable')]


def names(check: Check, error: Planted | None) -> bool:
    """Whether a check is about this error: its class, and with boxes its place."""
    if error is None:
        return False
    said, there = {check.label, check.instead}, {error.truth, error.given}
    if not (said & there) - {None}:
        return False
    if error.place is None:
        return True
    x1, y1, x2, y2 = error.place
    left, top, right, bottom = check.patch
    return left < x2 and x1 < right and top < y2 and y1 < bottom


def audit_lines(records: Sequence[Record]) -> list[str]:
    """Means over the draws as a table in per cent; how many of each kind of error were found."""
    columns = ('precision', 'recall', 'visible_precision', 'visible_recall')
    lines = [
        f'{"per cent, mean of draws":24} {"all errors":>22}  {"errors in image labels":>22}',
        f'{"":24}' + f' {f"first {FIRST} right":>12} {f"found in {MOST}":>11}' * 2,
    ]
    for method in ('audit', 'cleanlab', 'random'):
        rows = [record[method] for record in records if record[method] is not None]
        if not rows:
            lines.append(f'{method:24} not installed: pip install cleanlab')
            continue
        means = [100 * np.mean([row[key] for row in rows]) for key in columns]
        lines.append(
            f'{method:24} {means[0]:12.1f} {means[1]:11.1f} {means[2]:12.1f} {means[3]:11.1f}'
        )
    kinds: dict[str, list[int]] = {}
    for record in records:
        for error, row in record['kinds'].items():
            total = kinds.setdefault(error, [0, 0])
            total[0] += row['found']
            total[1] += row['planted']
    found = ', '.join(f'{error} {some} of {all_}' for error, (some, all_) in kinds.items())
    right = np.mean([record['right'] for record in records])
    return [
        *lines,
        f'found in {MOST} by the audit: {found}',
        f'of its first {FIRST} checks {right:.1f} name a planted error with its class and place',
    ]
