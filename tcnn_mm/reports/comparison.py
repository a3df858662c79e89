"""Compare the tests of runs on the same images: AP with intervals, and differences with theirs.

Letters: N images, K classes.
"""

import os.path as osp
import shlex
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from mmengine.registry import init_default_scope

from tcnn_mm.errors import UserError, first_names
from tcnn_mm.evaluation.intervals import (
    DRAWS,
    APIntervals,
    Interval,
    ap_intervals,
    paired_intervals,
    resample,
)
from tcnn_mm.reports.examples import read_test_images
from tcnn_mm.reports.run_artifacts import RunArtifacts, Scores, read_run_artifacts

SHOWN = 3  # ids in a message


class ScoredRun(NamedTuple):
    """Scores and labels of one test.

    Attributes:
        name (str): The folder, as it was given.
        scores (Scores): image_scores.csv.
        labels (ndarray): (N, K) of {1, 0, -1}, in its order.
    """

    name: str
    scores: Scores
    labels: np.ndarray


class Comparison(NamedTuple):
    """The tests of one or two runs.

    Attributes:
        metric (str): 'voc07' or 'voc10'.
        images (int): N.
        classes (list[str]): K names.
        runs (list[str]): Their names.
        aps (list[APIntervals]): Of each run.
        difference (APIntervals, optional): Second minus first, where there are two.
    """

    metric: str
    images: int
    classes: list[str]
    runs: list[str]
    aps: list[APIntervals]
    difference: APIntervals | None


def read_test(path: str) -> ScoredRun:
    """Read the scores of a work directory, and the labels of their images from its data set.

    Raises:
        UserError: No run, no scores, or no labels.
    """
    run = read_run_artifacts(path)
    init_default_scope(run.config.get('default_scope', 'mmengine'))
    return ScoredRun(path, *_scores_and_labels(run))


def _scores_and_labels(run: RunArtifacts) -> tuple[Scores, np.ndarray]:
    if run.scores is None:
        raise UserError(
            f'{run.path}: no image_scores.csv; test first: tcnn test CONFIG CHECKPOINT '
            f'--work-dir {shlex.quote(run.path)}'
        )
    try:
        return run.scores, read_test_images(run.config, run.scores).labels
    except UserError as error:
        raise UserError(f'{osp.join(run.path, "image_scores.csv")}: {error}') from error


def in_order_of(first: ScoredRun, second: ScoredRun) -> np.ndarray:
    """The scores (N, K) of the second run, its rows and classes in the order of the first.

    Raises:
        UserError: Other images, other classes, or other labels of an image.
    """
    for what, mine, theirs in (
        ('images', first.scores.ids, second.scores.ids),
        ('classes', first.scores.classes, second.scores.classes),
    ):
        only = [
            (first.name, sorted({*mine} - {*theirs})),
            (second.name, sorted({*theirs} - {*mine})),
        ]
        found = [f'{name} alone has {len(s)}: {first_names(s, SHOWN)}' for name, s in only if s]
        if found:
            raise UserError(
                f'the two tests have other {what}, so they cannot be compared: {"; ".join(found)}; '
                'test both on one data set'
            )
    row = {image_id: n for n, image_id in enumerate(second.scores.ids)}
    column = {name: n for n, name in enumerate(second.scores.classes)}
    rows = [row[image_id] for image_id in first.scores.ids]
    take = np.ix_(rows, [column[name] for name in first.scores.classes])
    differ = (second.labels[take] != first.labels).any(1)
    if differ.any():
        names = [first.scores.ids[n] for n in np.flatnonzero(differ)]
        raise UserError(
            f'{first.name} and {second.name}: {len(names)} images have other labels in the two '
            f'data sets: {first_names(names, SHOWN)}; test both on one data set'
        )
    return second.scores.values[take]


def compare_tests(runs: Sequence[ScoredRun], metric: str, draws: int = DRAWS) -> Comparison:
    """Compute the intervals of one or two tests, and of their difference.

    Args:
        runs: One or two.
        metric: 'voc07' or 'voc10'.
        draws: R, of the bootstrap.

    Raises:
        UserError: See :func:`in_order_of`.
    """
    first = runs[0]
    values = [first.scores.values, *(in_order_of(first, run) for run in runs[1:])]
    found = [resample(scores, first.labels, metric, draws) for scores in values]
    return Comparison(
        metric=metric,
        images=len(first.labels),
        classes=first.scores.classes,
        runs=[run.name for run in runs],
        aps=[ap_intervals(each) for each in found],
        difference=paired_intervals(found[0], found[1]) if len(found) > 1 else None,
    )


def comparison_lines(comparison: Comparison) -> list[str]:
    """The comparison as a table, in per cent."""
    names = [*comparison.classes, 'mean']
    wide = max(map(len, names))
    columns = [[*aps.classes, aps.mean] for aps in comparison.aps]
    cells = [[_bounds(each) for each in column] for column in columns]
    titles = [chr(ord('A') + n) for n in range(len(cells))]
    if comparison.difference is not None:
        differences = [*comparison.difference.classes, comparison.difference.mean]
        cells.append([_bounds(d, '+') + (' *' if d.excludes_zero else '') for d in differences])
        titles.append('B - A')
    widths = [max(map(len, [title, *column])) for title, column in zip(titles, cells, strict=True)]
    lines = [
        f'{comparison.metric} AP % on {comparison.images} test images, with 95 % intervals over '
        'the images (bootstrap)',
        *[f'{title}: {run}' for title, run in zip(titles, comparison.runs, strict=False)],
    ]
    for name, row in [('class', titles), *zip(names, zip(*cells, strict=True), strict=True)]:
        padded = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        lines.append('  '.join([name.ljust(wide), *padded]).rstrip())
    if comparison.difference is not None:
        lines.append(
            '*: the interval of the difference excludes 0; of 20 classes without any difference, '
            'one has a * on average'
        )
    return lines


def _bounds(found: Interval, sign: str = '') -> str:
    """`78.3 (71.0 to 84.2)` in per cent; a dash where it is not defined."""
    if np.isnan(found.value):
        return '–'
    value, low, high = (f'{100 * v:{sign}.1f}' for v in found)
    return f'{value} ({low} to {high})'


def comparison_json(comparison: Comparison) -> dict[str, object]:
    """The comparison in fractions, for JSON: None where a figure is not defined."""

    def plain(aps: APIntervals) -> dict[str, object]:
        classes = dict(zip(comparison.classes, map(_numbers, aps.classes), strict=True))
        return dict(mean=_numbers(aps.mean), classes=classes)

    found: dict[str, object] = dict(
        metric=comparison.metric,
        images=comparison.images,
        runs=[
            dict(run=name, **plain(aps))
            for name, aps in zip(comparison.runs, comparison.aps, strict=True)
        ],
    )
    if comparison.difference is not None:
        found['difference'] = plain(comparison.difference)
    return found


def _numbers(found: Interval) -> dict[str, float | None]:
    return {k: None if np.isnan(v) else v for k, v in found._asdict().items()}
