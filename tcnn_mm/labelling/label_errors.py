"""How strongly held-out votes contradict labels and boxes, all kinds of errors on one scale.

A margin is the log of how much likelier the evidence makes the error than it is by itself, so that
margins of all kinds are compared, and those of two findings add up:

- a class that is not labelled: the log-odds of its probability;
- a label: the log-odds of the share of images with the class, minus those of its probability
  (as many labels are taken to be too many as are missing);
- one class in place of another, or a place in place of another: the sum of the two.

Probabilities are calibrated (Platt): of images per class on the other folds, of boxes on the
labels themselves, all classes together, since few images have few boxes of a class.

Letters: N images, K classes.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import expit, logit

from tcnn_mm.evaluation.calibration import (
    Calibration,
    calibrate,
    cross_fitted_probabilities,
    log_odds,
)
from tcnn_mm.labelling.patch_evidence import PatchEvidence

# The share of wrong labels by which a margin becomes a probability.
ERROR_RATE = 0.05


class LabelledImage(NamedTuple):
    """One image with its labels, and what the patches say.

    Attributes:
        image_id (str): Unique.
        boxes (ndarray): (M, 4) xyxy pixels; M is 0 for image labels.
        box_labels (ndarray): (M,) classes.
        difficult (ndarray): (M,) bool.
        evidence (PatchEvidence): By the head that did not see it.
    """

    image_id: str
    boxes: np.ndarray
    box_labels: np.ndarray
    difficult: np.ndarray
    evidence: PatchEvidence


class Margins(NamedTuple):
    """Curves from votes to margins; None where the votes do not tell labels apart.

    Attributes:
        present (ndarray): (N, K) log-odds that the image has the class; nan: cannot be told.
        absent (ndarray): (N, K) margin of a label that is wrong.
        box (Calibration, optional): Of the highest vote inside a box: it is of this class.
        box_share (float): Share of boxes that are of a class, on average.
        place (Calibration, optional): Of the highest vote away from all boxes: there is another.
    """

    present: np.ndarray
    absent: np.ndarray
    box: Calibration | None
    box_share: float
    place: Calibration | None

    def box_is(self, vote: float) -> float:
        """Margin of a box being of a class, from the vote inside it; -inf: cannot be told."""
        return _margin(self.box, vote)

    def box_is_not(self, vote: float) -> float:
        """Margin of a box not being of its class; -inf: cannot be told."""
        if self.box is None or np.isnan(vote):
            return -np.inf
        return float(logit(self.box_share)) - self.box_is(vote)

    def place_has(self, vote: float) -> float:
        """Margin of an object away from the boxes of its class; -inf: cannot be told."""
        return _margin(self.place, vote)


def _margin(curve: Calibration | None, vote: float) -> float:
    if curve is None or np.isnan(vote):
        return -np.inf
    return float(curve.slope * log_odds(vote) + curve.offset)


def probability(margin: float) -> float:
    """Of an error of this margin, where :data:`ERROR_RATE` of all labels are wrong."""
    return float(expit(margin + logit(ERROR_RATE)))


def fit_margins(
    images: Sequence[LabelledImage], scores: np.ndarray, labels: np.ndarray, folds: np.ndarray
) -> Margins:
    """Fit the curves.

    Args:
        images: N.
        scores: (R, N, K) image scores by heads that did not see them, of R divisions into folds.
        labels: (N, K) of {1, 0, -1}.
        folds: (R, N) the fold of each image.
    """
    known = [
        cross_fitted_probabilities(mine, labels, fold)
        for mine, fold in zip(scores, folds, strict=True)
    ]
    present = log_odds(np.mean(known, 0))
    positive, counted = (labels > 0).sum(0), (labels != 0).sum(0)
    share = (positive + 1) / (counted + 2)
    absent = logit(share) - present
    box, box_share = _box_curve(images)
    return Margins(present, absent, box, box_share, _place_curve(images))


def _box_curve(images: Sequence[LabelledImage]) -> tuple[Calibration | None, float]:
    """From the highest vote inside a box for each class: whether it is of that class."""
    votes, same = [], []
    for image in images:
        for m in np.flatnonzero(~image.difficult):
            inside = image.evidence.inside[m]
            known = np.flatnonzero(~np.isnan(inside))
            votes.append(inside[known])
            same.append(known == image.box_labels[m])
    is_class = np.concatenate([*same, np.zeros(0, bool)])
    if not len(is_class):
        return None, float('nan')
    share = (is_class.sum() + 1) / (len(is_class) + 2)
    return calibrate(np.concatenate(votes), np.where(is_class, 1, -1)), float(share)


def _place_curve(images: Sequence[LabelledImage]) -> Calibration | None:
    """From the highest vote of a class: inside a box of it, or away from all boxes of it."""
    inside, away = [], []
    for image in images:
        for k in np.unique(image.box_labels[~image.difficult]):
            away.append(image.evidence.away[k])
        for m in np.flatnonzero(~image.difficult):
            inside.append(image.evidence.inside[m, image.box_labels[m]])
    votes = np.array([*inside, *away])
    known = ~np.isnan(votes)
    labels = np.repeat([1, -1], [len(inside), len(away)])
    return calibrate(votes[known], labels[known]) if known.any() else None
