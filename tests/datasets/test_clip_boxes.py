"""Boxes are clipped to their image; one wholly outside is an error."""

import numpy as np
import pytest

from tcnn_mm.datasets.clip_boxes import clip_boxes
from tcnn_mm.errors import UserError


def test_boxes_end_at_the_edges():
    """Clipped boxes and their number; the argument is not written into."""
    boxes = np.float32([[-2, 1, 5, 9], [0, 0, 40, 30], [30, 20, 50, 31]])
    before = boxes.copy()
    clipped, number = clip_boxes(boxes, 30, 40, 'a.xml')
    assert clipped.tolist() == [[0, 1, 5, 9], [0, 0, 40, 30], [30, 20, 40, 30]] and number == 2
    np.testing.assert_array_equal(boxes, before)


def test_no_box_is_no_box():
    """An image without objects."""
    clipped, number = clip_boxes(np.zeros((0, 4), np.float32), 30, 40, 'a.xml')
    assert clipped.shape == (0, 4) and number == 0


@pytest.mark.parametrize('box', [(40, 0, 50, 9), (-9, 0, 0, 9), (0, 30, 9, 31), (0, -5, 9, 0)])
def test_a_box_wholly_outside_is_named_as_voc_counts(box):
    """One line with the file, the box counted from 1, and the image's size."""
    x1, y1, x2, y2 = box
    said = rf'a.xml: box \({x1 + 1}, {y1 + 1}, {x2}, {y2}\) lies wholly outside .* 40×30'
    with pytest.raises(UserError, match=said):
        clip_boxes(np.float32([box]), 30, 40, 'a.xml')
