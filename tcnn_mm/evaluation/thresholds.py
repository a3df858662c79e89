"""From scores to names: the threshold of each class that names a validation set's pictures best.

Image scores are for ranking: a mean of y^5 may be 0.01 where the class fills the picture, and no
number, 0.5 least of all, fits every class. Numpy alone.
"""

import numpy as np

from tcnn_mm.evaluation.average_precision import precision_recall


def best_threshold(scores, labels):
    """The threshold of one class with the highest F1 = 2·tp / (named + positives).

    A picture is named when its score ≥ threshold. The threshold lies half way between the lowest
    score that is named and the next lower one: for pictures not seen yet, both errors are as near.

    Args:
        scores (array): (N,).
        labels (array): (N,) of {1, 0, -1}; 0 (difficult objects only) is left out.

    Returns:
        tuple[float, float]: threshold and F1; of equal F1s the highest threshold. (nan, nan) for
        a class without positives: nothing can be chosen.
    """
    scores, labels = np.asarray(scores, np.float64), np.asarray(labels)
    known = labels != 0
    ranked = -np.sort(-scores[known], kind='stable')
    tp, _ = precision_recall(scores[known], labels[known])
    if not len(tp) or not tp[-1]:
        return float('nan'), float('nan')
    f1 = 2 * tp / (np.arange(1, len(tp) + 1) + tp[-1])
    # Equal scores are named together: a cut lies after the last of them.
    lower = np.append(ranked[1:], -np.inf)
    best = int(np.where(ranked > lower, f1, -1.0).argmax())
    high, low = ranked[best], lower[best]
    middle = low + (high - low) / 2 if np.isfinite(low) else high
    # Between neighbouring floats there is no middle.
    return float(middle if middle > low else high), float(f1[best])


def best_thresholds(scores, labels):
    """:func:`best_threshold` of every class.

    Args:
        scores (array): (N, K) image scores.
        labels (array): (N, K) of {1, 0, -1}.

    Returns:
        tuple[ndarray, ndarray]: thresholds (K,) and F1 (K,), float64; nan for a class without
        positives.

    Raises:
        ValueError: Shapes that differ; NaN scores; other labels.
    """
    scores, labels = np.asarray(scores), np.asarray(labels)
    if scores.ndim != 2 or scores.shape != labels.shape:
        raise ValueError(f'scores {scores.shape} and labels {labels.shape} must both be (N, K)')
    rows = [best_threshold(s, y) for s, y in zip(scores.T, labels.T, strict=True)]
    thresholds, f1 = np.array(rows, np.float64).reshape(-1, 2).T
    return thresholds, f1
