"""Labels and boxes to check, ranked: those that held-out scores and votes contradict most.

Letters: N images, K classes, M boxes of an image.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeAlias

import numpy as np
from scipy.special import expit

from tcnn_mm.labelling.label_errors import LabelledImage, Margins, probability
from tcnn_mm.labelling.patch_evidence import Vote

Kind: TypeAlias = Literal['missing label', 'wrong label', 'box overlooked', 'box misplaced']
KINDS: tuple[Kind, ...] = ('missing label', 'wrong label', 'box overlooked', 'box misplaced')


@dataclass(frozen=True)
class Check:
    """One label or box to check.

    Attributes:
        image (int): Number of the image.
        image_id (str): Its id.
        kind (str): One of :data:`KINDS`.
        label (int, optional): The class that is given; None for a missing label.
        instead (int, optional): The class that the votes say is there: of a missing label, an
            overlooked box, a misplaced box, and of a wrong label where they say one.
        box (int, optional): Number of the box of the image that is in question.
        patch (tuple): xyxy pixels of the patch that says so.
        vote (float): Of this patch for `instead`, or where it is None for `label`.
        own (float): Of a label: the vote for it in its box, or the probability of the class in the
            image where it has no box. Of a missing label: its probability. Else nan.
        margin (float): See :mod:`label_errors`.
    """

    image: int
    image_id: str
    kind: Kind
    label: int | None
    instead: int | None
    box: int | None
    patch: tuple[float, float, float, float]
    vote: float
    own: float
    margin: float

    @property
    def score(self) -> float:
        """Probability of an error."""
        return probability(self.margin)

    @property
    def classes(self) -> set[int]:
        """The classes that it is about."""
        return {k for k in (self.label, self.instead) if k is not None}


def audit(images: Sequence[LabelledImage], labels: np.ndarray, margins: Margins) -> list[Check]:
    """Rank the labels and boxes to check, the surest error first.

    One image has at most one check of each class. The order does not depend on that of the images.

    Args:
        images: N.
        labels: (N, K) of {1, 0, -1}; 0, difficult objects only, is not checked.
        margins: Of :func:`fit_margins`.

    Returns:
        Those of positive margin: what the scores deny more than they confirm.
    """
    found = [
        check
        for number, image in enumerate(images)
        for check in _one_per_class(list(checks_of_image(number, image, labels[number], margins)))
    ]
    return sorted(found, key=_order)


def _order(check: Check) -> tuple:
    """By margin; equal ones by what they are about, not by the order of the images."""
    about = (check.label, check.instead, check.box)
    return (
        -check.margin,
        check.image_id,
        KINDS.index(check.kind),
        *(-1 if each is None else each for each in about),
    )


def _one_per_class(checks: list[Check]) -> list[Check]:
    """Of checks of one image the surest of each class."""
    taken: set[int] = set()
    kept = []
    for check in sorted(checks, key=_order):
        if check.margin > 0 and not check.classes & taken:
            kept.append(check)
            taken |= check.classes
    return kept


def checks_of_image(
    number: int, image: LabelledImage, labels: np.ndarray, margins: Margins
) -> Iterator[Check]:
    """All that may be wrong with one image, of any margin.

    Args:
        number: Of the image.
        image: Its boxes and evidence.
        labels: (K,) of {1, 0, -1}.
        margins: Of all images.
    """
    check, evidence = partial(_check, number, image), image.evidence
    present = margins.present[number]
    for k in np.flatnonzero(labels < 0).tolist():
        seen = evidence.anywhere(k)
        yield check('missing label', None, k, None, seen, float(expit(present[k])), present[k])
    for k in np.flatnonzero(labels > 0).tolist():
        mine = np.flatnonzero((image.box_labels == k) & ~image.difficult).tolist()
        judged = [m for m in mine if not np.isnan(evidence.inside[m, k])]
        for m in judged:
            yield from _checks_of_box(number, image, m, margins)
        if len(image.boxes):
            seen = evidence.away_from_boxes(k)
            margin = margins.place_has(seen.value)
            yield check('box overlooked', k, k, None, seen, np.nan, margin)
        if not judged:
            yield from _checks_of_label(number, image, k, labels, margins)


def _checks_of_box(number: int, image: LabelledImage, m: int, margins: Margins) -> Iterator[Check]:
    """A box whose patches do not vote for its class: which class instead, or which place."""
    check, evidence, k = partial(_check, number, image), image.evidence, int(image.box_labels[m])
    own = evidence.in_box(m, k)
    wrong = margins.box_is_not(own.value)
    yield check('wrong label', k, None, m, own, own.value, wrong)
    votes = np.where(np.arange(len(evidence.best)) == k, np.nan, evidence.inside[m])
    if not np.isnan(votes).all():
        other = int(np.nanargmax(votes))
        seen = evidence.in_box(m, other)
        margin = wrong + margins.box_is(seen.value)
        yield check('wrong label', k, other, m, seen, own.value, margin)
    seen = evidence.away_from_boxes(k)
    margin = wrong + margins.place_has(seen.value)
    yield check('box misplaced', k, k, m, seen, own.value, margin)


def _checks_of_label(
    number: int, image: LabelledImage, k: int, labels: np.ndarray, margins: Margins
) -> Iterator[Check]:
    """The label of an image without a box that patches show: no such class, or which instead."""
    check, evidence = partial(_check, number, image), image.evidence
    present, wrong = margins.present[number], margins.absent[number, k]
    own = float(expit(present[k]))
    yield check('wrong label', k, None, None, evidence.anywhere(k), own, wrong)
    others = np.flatnonzero((labels < 0) & ~np.isnan(present))
    if len(others):
        other = int(others[np.argmax(present[others])])
        margin = wrong + present[other]
        yield check('wrong label', k, other, None, evidence.anywhere(other), own, margin)


def _check(
    number: int,
    image: LabelledImage,
    kind: Kind,
    label: int | None,
    instead: int | None,
    box: int | None,
    seen: Vote,
    own: float,
    margin: float,
) -> Check:
    """A check; a margin that cannot be told is none."""
    x1, y1, x2, y2 = seen.patch.tolist()
    known = -np.inf if np.isnan(margin) else float(margin)
    patch = (x1, y1, x2, y2)
    return Check(number, image.image_id, kind, label, instead, box, patch, seen.value, own, known)
