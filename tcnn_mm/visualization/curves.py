"""Curves of a run: precision over recall, training. Each function draws one figure."""

import io

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from tcnn_mm.evaluation.average_precision import precision_recall

INK, LINE, FAINT = '#22313f', '#1f6f8b', '#b8c4cc'


def _axis(size):
    figure = Figure(size, dpi=100, layout='constrained')
    FigureCanvasAgg(figure)
    axis = figure.subplots()
    axis.grid(alpha=0.25)
    axis.spines[['top', 'right']].set_visible(False)
    axis.tick_params(labelsize=8, colors=INK)
    return figure, axis


def precision_recall_curve(scores, labels):
    """Precision over recall of one class, and the best precision at each recall or above.

    Args:
        scores (ndarray): (N,).
        labels (ndarray): (N,) of {1, 0, -1}, at least one 1.

    Returns:
        Figure: Of matplotlib.
    """
    tp, precision = precision_recall(scores, labels)
    # Steps that change nothing (difficult pictures) are no points of the curve.
    judged = np.asarray(labels)[np.argsort(-np.asarray(scores), kind='stable')] != 0
    recall, precision = tp[judged] / tp[-1], precision[judged]
    best = np.maximum.accumulate(precision[::-1])[::-1]
    figure, axis = _axis((3.0, 2.3))
    axis.plot(recall, precision, color=FAINT, lw=1)
    axis.plot(np.append(0, recall), np.append(best[0], best), color=LINE, lw=1.8)
    axis.set(xlim=(0, 1.01), ylim=(0, 1.03))
    axis.set_xlabel('recall', fontsize=9, color=INK)
    axis.set_ylabel('precision', fontsize=9, color=INK)
    return figure


def training_curve(rows, keys, label, log_scale=False):
    """Logged values over the steps of a training.

    Args:
        rows (list[dict]): Lines of mmengine's scalars.json, with `step`.
        keys (dict): Logged key → name in the legend; those that no line has are left out.
        label (str): Of the vertical axis.
        log_scale (bool): Of it. Defaults to False.

    Returns:
        Figure: Of matplotlib; None if no line has any of the keys.
    """
    found = {
        key: [(row['step'], row[key]) for row in rows if key in row]
        for key in keys
        if any(key in row for row in rows)
    }
    if not found:
        return None
    figure, axis = _axis((4.4, 2.6))
    for (key, points), color in zip(found.items(), _colors(), strict=False):
        step, value = np.array(points, float).T
        axis.plot(step, value, color=color, lw=1.6, marker='.' if len(step) < 40 else None,
                  label=keys[key])  # fmt: skip
    axis.set_xlabel('step', fontsize=9, color=INK)
    axis.set_ylabel(label, fontsize=9, color=INK)
    if log_scale:
        axis.set_yscale('log')
    if len(found) > 1:
        axis.legend(fontsize=8, frameon=False)
    return figure


def _colors():
    return (LINE, '#c2571a', '#5b7f2b', '#7a4f9a', '#8a6d1b', '#3c5a8a', '#a23b4a', INK)


def to_svg(figure):
    """A figure as the text of an SVG picture; the same figure gives the same text."""
    with matplotlib.rc_context({'svg.hashsalt': 'tcnn_mm', 'svg.fonttype': 'path'}):
        file = io.StringIO()
        figure.savefig(file, format='svg', metadata={'Date': None}, transparent=True)
    return file.getvalue()
