"""Curves of a run: precision over recall, logged values over the steps."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tcnn_mm.evaluation.average_precision import precision_recall
from tcnn_mm.evaluation.calibration import Reliability
from tcnn_mm.visualization.figure import make_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, LINE, FAINT = '#22313f', '#1f6f8b', '#b8c4cc'
LINES = (LINE, '#c2571a', '#5b7f2b', '#7a4f9a', '#8a6d1b', '#3c5a8a', '#a23b4a', INK)


def _make_axes(size: tuple[float, float]) -> tuple[Figure, Axes]:
    figure = make_figure(size)
    axes = figure.subplots()
    axes.grid(alpha=0.25)
    axes.spines[['top', 'right']].set_visible(False)
    axes.tick_params(labelsize=8, colors=INK)
    return figure, axes


def precision_recall_curve(scores: np.ndarray, labels: np.ndarray) -> Figure:
    """Draw precision over recall of one class, and the best precision at each recall or above.

    Args:
        scores: (N,).
        labels: (N,) of {1, 0, -1}, at least one 1.
    """
    tp, precision = precision_recall(scores, labels)
    # An ignored (difficult) image changes nothing: it is no point of the curve.
    judged = np.asarray(labels)[np.argsort(-np.asarray(scores), kind='stable')] != 0
    recall, precision = tp[judged] / tp[-1], precision[judged]
    best = np.maximum.accumulate(precision[::-1])[::-1]
    figure, axes = _make_axes((3.0, 2.3))
    axes.plot(recall, precision, color=FAINT, lw=1)
    axes.plot(np.append(0, recall), np.append(best[0], best), color=LINE, lw=1.8)
    axes.set(xlim=(0, 1.01), ylim=(0, 1.03))
    axes.set_xlabel('recall', fontsize=9, color=INK)
    axes.set_ylabel('precision', fontsize=9, color=INK)
    return figure


def reliability_curve(found: Reliability) -> Figure:
    """Draw the share of positive images over their predicted probability, beside the diagonal.

    Args:
        found: Bins with more images are larger points.
    """
    figure, axes = _make_axes((4.4, 2.6))
    axes.plot([0, 1], [0, 1], color=FAINT, lw=1)
    known = found.counts > 0
    predicted, observed = found.predicted[known], found.observed[known]
    axes.plot(predicted, observed, color=LINE, lw=1.2)
    axes.scatter(predicted, observed, s=8 + 24 * np.log10(found.counts[known]), color=LINE)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.03, 1.03))
    axes.set_xlabel('predicted probability', fontsize=9, color=INK)
    axes.set_ylabel('share of positives', fontsize=9, color=INK)
    return figure


def training_curve(
    rows: Sequence[dict[str, Any]], keys: dict[str, str], label: str, log_scale: bool = False
) -> Figure | None:
    """Draw logged values over the steps of a training.

    Args:
        rows: Lines of mmengine's scalars.json, with `step`.
        keys: Logged key → name in the legend; keys that no line has are left out.
        label: Label of the vertical axis.
        log_scale: Whether the vertical axis is logarithmic. Defaults to False.

    Returns:
        The figure; None if no line has any of the keys.
    """
    found = {
        key: [(row['step'], row[key]) for row in rows if key in row]
        for key in keys
        if any(key in row for row in rows)
    }
    if not found:
        return None
    figure, axes = _make_axes((4.4, 2.6))
    for (key, points), color in zip(found.items(), LINES, strict=False):
        step, value = np.array(points, float).T
        marker = '.' if len(step) < 40 else None
        axes.plot(step, value, color=color, lw=1.6, marker=marker, label=keys[key])
    axes.set_xlabel('step', fontsize=9, color=INK)
    axes.set_ylabel(label, fontsize=9, color=INK)
    if log_scale:
        axes.set_yscale('log')
    if len(found) > 1:
        for text in axes.legend(fontsize=8, frameon=False).get_texts():
            text.set_parse_math(False)
    return figure


def to_svg(figure: Figure) -> str:
    """Return a figure as the text of an SVG image; equal figures give equal texts."""
    import matplotlib

    with matplotlib.rc_context({'svg.hashsalt': 'tcnn_mm', 'svg.fonttype': 'path'}):
        file = io.StringIO()
        figure.savefig(file, format='svg', metadata={'Date': None}, transparent=True)
    return file.getvalue()
