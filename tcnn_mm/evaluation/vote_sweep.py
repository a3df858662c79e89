"""Compare aggregators by the AP of their image scores (paper, sec. 5: k is chosen on val).

Letters: N images, P patches of all images together, K classes.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import torch

from tcnn_mm.evaluation.average_precision import class_aps, mean_ap

PAPER_K = range(1, 21)
Aggregator = Callable[[torch.Tensor], torch.Tensor]


def candidates(
    ks: Iterable[int] = PAPER_K, rs: Iterable[float] = (1, 2, 5, 10, 20, 50)
) -> dict[str, dict[str, Any]]:
    """Return configs by name: y^k per k (k = 1 is the mean), the max, log-sum-exp per r."""
    found: dict[str, dict[str, Any]] = {
        f'k={k}': dict(type='tcnn_mm.PowerMeanAggregator', k=k) for k in ks
    }
    found['max'] = dict(type='tcnn_mm.MaxAggregator')
    for r in rs:
        found[f'lse r={r:g}'] = dict(type='tcnn_mm.LogSumExpAggregator', r=r)
    return found


def image_scores(scores: np.ndarray, sizes: np.ndarray, aggregator: Aggregator) -> np.ndarray:
    """Aggregate patch scores (P, K) of images with `sizes` (N,) patches → (N, K) float64."""
    images = torch.from_numpy(scores).split(sizes.tolist())
    return torch.stack([aggregator(of_one) for of_one in images]).double().numpy()


def sweep(
    scores: np.ndarray,
    sizes: np.ndarray,
    labels: np.ndarray,
    aggregators: dict[str, Aggregator],
    mode: str,
    columns: Sequence[int] | None = None,
) -> dict[str, tuple[float, np.ndarray]]:
    """Compute the AP of each aggregator from the same patch scores.

    Args:
        scores: (P, K) float32.
        sizes: (N,) int, patches of each image.
        labels: (N, K) in {1, 0, -1}.
        aggregators: Name → callable, patch scores of one image (p, K) → (K,).
        mode: 'voc07' or 'voc10'.
        columns: Classes of the mean. Defaults to all.

    Returns:
        Name → (mean AP, (K,) APs), in fractions.
    """
    result = {}
    for name, aggregator in aggregators.items():
        aps = class_aps(image_scores(scores, sizes, aggregator), labels, mode)
        result[name] = mean_ap(aps if columns is None else aps[list(columns)]), aps
    return result


def best_of(result: dict[str, tuple[float, np.ndarray]]) -> str:
    """Return the name with the best mean AP; of equals the first, which is the smaller k."""
    return max(result, key=lambda name: result[name][0])
