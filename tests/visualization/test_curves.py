"""Curves: the points that are drawn, and the text of the SVG."""

import numpy as np

from tcnn_mm.visualization.curves import precision_recall_curve, to_svg, training_curve


def test_the_curve_goes_through_the_devkits_points():
    """Two positives of four, one difficult: recall 1/2 at precision 1, recall 1 at 2/3."""
    figure = precision_recall_curve(
        np.array([0.9, 0.8, 0.7, 0.6, 0.1]), np.array([1, 0, -1, 1, -1])
    )
    raw, best = figure.axes[0].lines
    assert raw.get_xydata().tolist() == [[0.5, 1], [0.5, 0.5], [1, 2 / 3], [1, 0.5]]
    assert best.get_xydata().tolist() == [[0, 1], [0.5, 1], [0.5, 2 / 3], [1, 2 / 3], [1, 0.5]]


def test_training_curves_leave_out_what_was_not_logged():
    """Only the lines that have the key; no figure without any."""
    rows = [dict(step=1, loss=2.0), dict(step=2, loss=1.0, object_accuracy=0.5)]
    figure = training_curve(rows, dict(loss='loss', object_accuracy='accuracy', other='x'), 'y')
    loss, accuracy = figure.axes[0].lines
    assert loss.get_xydata().tolist() == [[1, 2], [2, 1]]
    assert accuracy.get_xydata().tolist() == [[2, 0.5]] and accuracy.get_label() == 'accuracy'
    assert training_curve(rows, dict(other='x'), 'y') is None


def test_the_same_curve_is_the_same_text():
    """No date, no random name in the SVG: pages of one run can be compared."""
    texts = {
        to_svg(training_curve([dict(step=1, loss=2.0)], dict(loss='a'), 'y')) for _ in range(2)
    }
    assert len(texts) == 1 and texts.pop().count('<svg') == 1
