"""Which aggregator turns patch scores into the best ranking of images (paper, sec. 5: k on val)."""

import numpy as np
import torch

from tcnn_mm.evaluation.average_precision import mean_ap, voc_ap

PAPER_K = range(1, 21)


def candidates(ks=PAPER_K, rs=(1, 2, 5, 10, 20, 50)):
    """Configs by name: y^k for each k (k = 1 is the mean), the max, log-sum-exp for each r."""
    found = {f'k={k}': dict(type='tcnn_mm.PowerMeanAggregator', k=k) for k in ks}
    found['max'] = dict(type='tcnn_mm.MaxAggregator')
    for r in rs:
        found[f'lse r={r:g}'] = dict(type='tcnn_mm.LogSumExpAggregator', r=r)
    return found


def image_scores(scores, sizes, aggregator):
    """Patch scores (ΣP, K) of pictures of `sizes` (N,) patches → image scores (N, K) float64."""
    pictures = torch.from_numpy(scores).split(sizes.tolist())
    return torch.stack([aggregator(mine) for mine in pictures]).double().numpy()


def class_aps(scores, labels, mode):
    """AP of each class, (K,), nan without positives: image scores and labels (N, K)."""
    return np.array([voc_ap(scores[:, k], labels[:, k], mode) for k in range(labels.shape[1])])


def sweep(scores, sizes, labels, aggregators, mode, columns=None):
    """AP of each way of voting, from one pass's patch scores.

    Args:
        scores (ndarray): (ΣP, K) float32.
        sizes (ndarray): (N,) patches of each picture.
        labels (ndarray): (N, K) in {1, 0, -1}.
        aggregators (dict): name → callable (P, K) → (K,).
        mode (str): 'voc07' or 'voc10'.
        columns (sequence[int], optional): Classes of the mean. Defaults to all.

    Returns:
        dict: name → (mean AP, (K,) APs), in fractions.
    """
    result = {}
    for name, aggregator in aggregators.items():
        aps = class_aps(image_scores(scores, sizes, aggregator), labels, mode)
        result[name] = mean_ap(aps if columns is None else aps[list(columns)]), aps
    return result


def best_of(result):
    """Name of the best mean AP; of equals the first, which is the smaller k."""
    return max(result, key=lambda name: result[name][0])
