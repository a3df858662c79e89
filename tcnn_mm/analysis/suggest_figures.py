"""Curves of AP over labelled images, and how many labels a random choice needs for the same.

A record is one head: its method, seed, number of labelled images, and AP per class.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

Record = dict[str, Any]
RANDOM = 'random'


def mean_curve(
    records: Sequence[Record], method: str, columns: Sequence[int]
) -> dict[int, list[float]]:
    """Mean AP over some classes, per number of labels: one value per seed."""
    curve: dict[int, list[float]] = {}
    for record in sorted(records, key=lambda each: (each['labelled'], each['seed'])):
        if record['method'] == method:
            value = float(np.nanmean(np.array(record['aps'])[list(columns)]))
            curve.setdefault(record['labelled'], []).append(value)
    return curve


def labels_needed(curve: dict[int, float], ap: float) -> float | None:
    """How many labels a curve needs for an AP: between its points linear in log(labels).

    Args:
        curve: Labels → AP.
        ap: The goal.

    Returns:
        The number; the first point's where that is enough, None where no point reaches it.
    """
    sizes = sorted(curve)
    best = np.maximum.accumulate([curve[size] for size in sizes])
    if ap > best[-1]:
        return None
    at = int(np.searchsorted(best, ap))
    if at == 0:
        return float(sizes[0])
    share = (ap - best[at - 1]) / (best[at] - best[at - 1])
    low, high = np.log(sizes[at - 1]), np.log(sizes[at])
    return float(np.exp(low + share * (high - low)))


def simulation_lines(
    records: Sequence[Record], methods: Sequence[str], columns: Sequence[int]
) -> list[str]:
    """Mean (lowest–highest) AP in per cent by labels and method, and the labels random needs."""
    curves = {method: mean_curve(records, method, columns) for method in methods}
    base = {size: float(np.mean(each)) for size, each in curves.get(RANDOM, {}).items()}
    lines = ['labelled  ' + '  '.join(f'{method:>24}' for method in methods)]
    for size in sorted({size for curve in curves.values() for size in curve}):
        cells = []
        for method in methods:
            aps = 100 * np.array(curves[method].get(size, []))
            if not len(aps):
                cells.append(f'{"":>24}')
                continue
            text = f'{aps.mean():.1f} ({aps.min():.1f}–{aps.max():.1f})'
            if base and method != RANDOM:
                need = labels_needed(base, aps.mean() / 100)
                text += f' ={f">{max(base)}" if need is None else round(need)}'
            cells.append(f'{text:>24}')
        lines.append(f'{size:8d}  ' + '  '.join(cells))
    if base:
        lines.append('= N: random images need N labels for the same mean AP')
    return lines
