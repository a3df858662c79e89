"""Figures of compared statistics: mean ROC AUC with bounds, and how often drift is said.

Letters: M compared images, R draws of the test images.
"""

from collections.abc import Sequence

import numpy as np

from tcnn_mm.analysis.unfamiliar_comparison import UNFAMILIAR, Comparison
from tcnn_mm.evaluation.drift import SURE, drift
from tcnn_mm.evaluation.intervals import Interval, image_draws


def auc_draws(values: np.ndarray, truth: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """Area under the ROC curve of each draw of the images; ties count one half.

    Args:
        values: (M,), larger where `truth` is expected.
        truth: (M,) bool.
        draws: (R, M) how often each image is drawn; at least one of each side.

    Returns:
        (R,) in [0, 1].
    """
    above = values[truth][:, None] - values[~truth]
    won = (above > 0) + 0.5 * (above == 0)
    of_true, of_false = (draws[:, mask].astype(np.float64) for mask in (truth, ~truth))
    return ((of_true @ won) * of_false).sum(1) / (of_true.sum(1) * of_false.sum(1))


def mean_aucs(found: Sequence[Comparison], seed: int = 0) -> dict[str, Interval]:
    """Mean ROC AUC of each statistic over choices of classes, with 95 % bounds.

    Args:
        found: On one test bank; its images are drawn again with replacement.
        seed: Of the draws.
    """
    draws = image_draws(max(int(one.rows.max()) for one in found) + 1, seed=seed)
    draws = np.concatenate([np.ones_like(draws[:1]), draws])
    means = {}
    for name in found[0].values:
        per = [auc_draws(one.values[name], one.truth, draws[:, one.rows]) for one in found]
        mean = np.mean(per, axis=0)
        means[name] = Interval(float(mean[0]), *np.quantile(mean[1:], [0.025, 0.975]).tolist())
    return means


def drift_rate(
    found: Sequence[Comparison], images: int, strange: int, draws: int = 200, seed: int = 0
) -> float:
    """Share of folders, drawn from the test images of each choice, that are said to differ.

    Args:
        found: Choices of classes.
        images: Of a folder.
        strange: How many of these are unfamiliar; the others are familiar.
        draws: Folders per choice.
        seed: Of the draws.
    """
    random, alarms = np.random.default_rng(seed), []
    for one in found:
        values = one.values[UNFAMILIAR]
        for _ in range(draws):
            some = random.choice(values[one.truth], strange, replace=False)
            rest = random.choice(values[~one.truth], images - strange, replace=False)
            result = drift(np.concatenate([some, rest]), one.reference)
            alarms.append(result is not None and result.p < SURE)
    return float(np.mean(alarms))
