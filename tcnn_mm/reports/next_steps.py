"""What a person with few images does next: classes that need images, commands that help.

Letters: N images, K classes.
"""

import os.path as osp
import shlex
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from tcnn_mm.checkpoints.loading import load_safely
from tcnn_mm.errors import UserError
from tcnn_mm.reports.examples import TestImages
from tcnn_mm.reports.facts import Intervals, Step
from tcnn_mm.reports.run_artifacts import RunArtifacts

# A class of fewer positive images is named, and one whose interval is wider (in fractions).
FEW_POSITIVES, WIDE = 10, 0.3
# Lines of a step.
MOST = 6


class Confusion(NamedTuple):
    """Images that have one class and get the label of another, which they do not have.

    Attributes:
        has (int): The class that they have.
        gets (int): The label that they get.
        images (int): How many.
        of (int): Images with `has` and without `gets`.
    """

    has: int
    gets: int
    images: int
    of: int


def find_confusions(labels: np.ndarray, predicted: np.ndarray) -> list[Confusion]:
    """Pairs of classes that are confused, most images first.

    Args:
        labels: (N, K) in {1, 0, -1}.
        predicted: (N, K) bool, the labels that the model gives.
    """
    found = []
    for has, gets in np.argwhere(~np.eye(labels.shape[1], dtype=bool)).tolist():
        apart = (labels[:, has] == 1) & (labels[:, gets] == -1)
        count = int((apart & predicted[:, gets]).sum())
        if count:
            found.append(Confusion(has, gets, count, int(apart.sum())))
    return sorted(found, key=lambda each: (-each.images, each.of, each.has, each.gets))


def above_thresholds(
    scores: np.ndarray, classes: Sequence[str], thresholds: Mapping[str, float | None]
) -> np.ndarray:
    """The labels that thresholds give: (N, K) bool; a class without one is never given.

    Args:
        scores: (N, K).
        classes: K names.
        thresholds: Class → image score from which on it is a label.
    """
    known = [thresholds.get(name) for name in classes]
    return scores >= np.array([np.inf if value is None else value for value in known])


def collect_next_steps(
    run: RunArtifacts,
    images: TestImages | None,
    intervals: Intervals | None,
    trust: bool = False,
) -> list[Step]:
    """The steps, for the run of a `tcnn fit`; none for other runs.

    Args:
        run: Of the work directory.
        images: Its test images; None if they could not be read.
        intervals: Of their AP.
        trust: See :func:`load_safely`.
    """
    if images is None or run.scores is None or not run.config.get('decisions'):
        return []
    classes, out = run.scores.classes, osp.dirname(run.path)
    positives = dict(zip(classes, (images.labels == 1).sum(0).tolist(), strict=True))
    steps = [_few_images(positives, intervals), _confused(run, images, trust)]
    if run.held_out is not None:
        steps.append(_labels(out))
    steps.append(
        Step(
            'Choose images to label',
            'Of a folder of photographs, those whose labels are expected to help most, each with '
            'its reason.',
            command=f'tcnn suggest {shlex.quote(out)} --unlabelled DIR',
        )
    )
    steps.append(
        Step(
            'Add images',
            'Features are computed for the new images alone; they may bring new classes. The page '
            'of the new fit has the AP before and after.',
            command=f'tcnn fit {shlex.quote(out)} --add DIR --out NEW',
        )
    )
    return [step for step in steps if step is not None]


def _few_images(positives: Mapping[str, int], intervals: Intervals | None) -> Step | None:
    """The classes that say little, fewest images first."""
    lines = []
    for name, count in sorted(positives.items(), key=lambda pair: pair[1]):
        bounds = intervals.classes.get(name) if intervals else None
        width = bounds.high - bounds.low if bounds else 0.0
        if count >= FEW_POSITIVES and width < WIDE:
            continue
        said = f', AP {100 * bounds.low:.0f} to {100 * bounds.high:.0f}' if bounds else ''
        lines.append(f'{name}: {count} {"image" if count == 1 else "images"}{said}')
    if not lines:
        return None
    more = len(lines) - MOST
    return Step(
        'Label more images of these classes first',
        f'A class of fewer than {FEW_POSITIVES} images, or with an interval of AP of more than '
        f'{100 * WIDE:.0f} points, may be much better or worse than its figure.',
        lines[:MOST] + ([f'{more} more classes'] if more > 0 else []),
    )


def _confused(run: RunArtifacts, images: TestImages, trust: bool) -> Step | None:
    """The pairs of classes that the labels of the checkpoint confuse."""
    assert run.scores is not None
    if run.checkpoint is None:
        return None
    try:
        meta = load_safely(run.checkpoint, trust=trust).get('meta') or {}
    except UserError:
        return None  # the page says so where it draws its images
    thresholds = (meta.get('tcnn_mm') or {}).get('thresholds')
    if not thresholds:
        return None
    classes = run.scores.classes
    predicted = above_thresholds(run.scores.values, classes, thresholds)
    found = find_confusions(images.labels, predicted)[:MOST]
    if not found:
        return None
    return Step(
        'Look at the classes that are confused',
        'Images that show one class and get the label of another, by the thresholds of the '
        'checkpoint.',
        [
            f'{each.images} of {each.of} images with {classes[each.has]} get {classes[each.gets]}'
            for each in found
        ],
    )


def _labels(out: str) -> Step:
    """Labels that held-out scores deny."""
    page = osp.join(out, 'audit', 'audit.html')
    text = 'Labels and boxes that the heads of the folds deny, the surest errors first.'
    if osp.isfile(page):
        text += f' A page is there: {page}'
    return Step('Check labels', text, command=f'tcnn audit {shlex.quote(out)}')
