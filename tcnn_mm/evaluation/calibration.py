"""Probabilities from image scores: per class one increasing curve, fitted on images not trained on.

An image score ranks images and is no probability: the mean of y^5 may be 0.0002 on a sure image.
Platt's two numbers (slope and offset of the log-odds) are fitted on a validation set, with his
targets, which keep both finite however well few images are separated (Platt, "Probabilistic Outputs
for Support Vector Machines", 1999; Lin et al., "A Note on Platt's …", 2007). The slope is positive,
so the order of the images, and with it every AP, stays.

Letters: N images, K classes, M bins.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.special import expit

from tcnn_mm.errors import UserError

# Scores are means of powers of float32: none but 0 is smaller, none but 1 is nearer to it.
_SMALLEST = 1e-300
_BELOW_ONE = 2.0**-53
# The slope where nothing is known of it: the log-odds of a probability.
_WEAKEST_SLOPE = 1e-3


class Calibration(NamedTuple):
    """Of one class: the log-odds of its probability are slope × log-odds of the score + offset."""

    slope: float
    offset: float


class Reliability(NamedTuple):
    """How often images of a predicted probability show the class, by bins of the probability.

    Attributes:
        predicted (ndarray): (M,) mean probability of the images in each bin; nan without any.
        observed (ndarray): (M,) share of them that are positive.
        counts (ndarray): (M,) int64 images.
        error (float): Expected calibration error: mean of |observed - predicted| over images.
    """

    predicted: np.ndarray
    observed: np.ndarray
    counts: np.ndarray
    error: float


def log_odds(scores: ArrayLike) -> np.ndarray:
    """Log-odds of scores in [0, 1], finite and increasing; any shape, float64."""
    values = np.asarray(scores, np.float64)
    return np.log(np.maximum(values, _SMALLEST)) - np.log(np.maximum(1 - values, _BELOW_ONE))


def probabilities(scores: ArrayLike, calibration: Calibration) -> np.ndarray:
    """Probability of the class for each image score of it; any shape, float64 in [0, 1]."""
    return expit(calibration.slope * log_odds(scores) + calibration.offset)


def probability_or_none(score: float, calibration: Calibration | None) -> float | None:
    """Probability of one image score; None without calibration."""
    return None if calibration is None else float(probabilities(score, calibration))


def calibrate(scores: ArrayLike, labels: ArrayLike) -> Calibration | None:
    """Fit the calibration of one class.

    Args:
        scores: (N,) image scores in [0, 1] of images that were not trained on.
        labels: (N,) of {1, 0, -1}; 0 (difficult objects only) is left out.

    Returns:
        None without a positive and a negative, and where the scores do not rise with the labels:
        no probability can be told.
    """
    known = np.asarray(labels) != 0
    positive = np.asarray(labels)[known] > 0
    count = int(positive.sum())
    if not 0 < count < len(positive):
        return None
    odds = log_odds(np.asarray(scores)[known])
    # Standardised, so that the minimiser's steps fit any aggregator's range.
    centre, spread = odds.mean(), odds.std()
    if spread == 0:
        return None
    x = (odds - centre) / spread
    target = np.where(positive, (count + 1) / (count + 2), 1 / (len(positive) - count + 2))

    def loss(ab: np.ndarray) -> tuple[float, np.ndarray]:
        """Mean log-loss, and its gradient, of slope and offset."""
        z = ab[0] * x + ab[1]
        residual = expit(z) - target
        value = np.logaddexp(0, z) - target * z
        return float(value.mean()), np.array([(residual * x).mean(), residual.mean()])

    prior = np.log(count / (len(positive) - count))
    slope, offset = minimize(loss, (1.0, prior), jac=True, method='BFGS').x
    if slope < _WEAKEST_SLOPE:
        return None
    return Calibration(float(slope / spread), float(offset - slope * centre / spread))


def calibrate_classes(scores: np.ndarray, labels: np.ndarray) -> list[Calibration | None]:
    """:func:`calibrate` of each class: (N, K), (N, K) → K."""
    return [calibrate(s, y) for s, y in zip(scores.T, labels.T, strict=True)]


def reliability(probability: ArrayLike, labels: ArrayLike, bins: int = 10) -> Reliability:
    """Compare probabilities with labels, of one class or of several written one after the other.

    Args:
        probability: (N,) in [0, 1].
        labels: (N,) of {1, 0, -1}; 0 is left out.
        bins: M, of equal width.
    """
    known = np.asarray(labels) != 0
    p, positive = np.asarray(probability, np.float64)[known], np.asarray(labels)[known] > 0
    where = np.minimum((p * bins).astype(np.int64), bins - 1)
    counts = np.bincount(where, minlength=bins)
    with np.errstate(invalid='ignore'):
        predicted = np.bincount(where, p, bins) / counts
        observed = np.bincount(where, positive, bins) / counts
    off = np.nansum(counts * np.abs(observed - predicted))
    return Reliability(predicted, observed, counts, float(off / max(1, len(p))))


def class_probabilities(
    scores: np.ndarray, calibrations: Sequence[Calibration | None]
) -> np.ndarray:
    """Probabilities (N, K) of scores (N, K); nan in the column of a class without calibration."""
    found = np.full(np.shape(scores), np.nan)
    for k, calibration in enumerate(calibrations):
        if calibration is not None:
            found[:, k] = probabilities(scores[:, k], calibration)
    return found


def cross_fitted_probabilities(
    scores: np.ndarray, labels: np.ndarray, folds: np.ndarray
) -> np.ndarray:
    """Probabilities (N, K), each by a calibration of the images of the other folds.

    Args:
        scores: (N, K) in [0, 1].
        labels: (N, K) of {1, 0, -1}.
        folds: (N,) the fold of each image.

    Returns:
        nan where the other folds have no calibration of a class.
    """
    found = np.full(np.shape(scores), np.nan)
    for fold in np.unique(folds):
        held_out = folds == fold
        curves = calibrate_classes(scores[~held_out], labels[~held_out])
        found[held_out] = class_probabilities(scores[held_out], curves)
    return found


def recorded_calibration(
    stored: Mapping[str, Any], name: str
) -> dict[str, Calibration | None] | None:
    """The calibrations that a checkpoint records; None in files that have none.

    Args:
        stored: `meta['tcnn_mm']` of the checkpoint.
        name: Of its file, for the error.

    Raises:
        UserError: The entry is no table of slope and offset per class.
    """
    found = stored.get('calibration')
    if not found:
        return None
    try:
        curves = {
            key: None if pair is None else Calibration(*map(float, pair))
            for key, pair in found.items()
        }
        if not all(math.isfinite(value) for curve in curves.values() for value in curve or ()):
            raise ValueError('NaN or infinity')
        return curves
    except (AttributeError, TypeError, ValueError, OverflowError) as error:
        raise UserError(
            f"{name}: meta['tcnn_mm']['calibration'] is no table of slope and offset per class: "
            f'{str(found)[:100]}'
        ) from error
