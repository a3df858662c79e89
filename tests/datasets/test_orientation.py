"""Boxes turn with the pixels between stored and upright images."""

import numpy as np
import pytest

from tcnn_mm.datasets.image_io import apply_orientation
from tcnn_mm.datasets.orientation import to_stored, to_upright, upright_size

SIZE = (30, 50)
BOX = (5, 8, 17, 29)


@pytest.mark.parametrize('orientation', range(1, 9))
def test_a_box_frames_the_same_pixels_after_turning(orientation):
    """The marked rectangle of the upright pixels is the turned box; turning back gives the box."""
    pixels = np.zeros((*SIZE, 3), np.uint8)
    x1, y1, x2, y2 = BOX
    pixels[y1:y2, x1:x2] = 255
    upright = apply_orientation(pixels, orientation)
    assert upright.shape[:2] == upright_size(SIZE, orientation)
    rows, columns = (np.flatnonzero(upright[..., 0].any(axis)) for axis in (1, 0))
    seen = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
    assert to_upright(BOX, SIZE, orientation) == seen
    assert to_stored(to_upright(BOX, SIZE, orientation), SIZE, orientation) == BOX
