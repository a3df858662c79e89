"""Grey images of more than 8 bits keep their scale, and what is nearly black is said."""

import warnings

import numpy as np
import pytest
from PIL import Image

from tcnn_mm.datasets.grey_levels import TWELVE_BITS, scale_grey
from tcnn_mm.datasets.image_io import load_rgb


@pytest.mark.parametrize('largest', [255, 1023, TWELVE_BITS])
@pytest.mark.parametrize('dtype', [np.uint16, np.int32])
def test_levels_of_few_bits_are_said(tmp_path, largest, dtype):
    """Of cameras of 8 to 12 bits: read as they are stored, and with a warning."""
    levels = np.linspace(0, largest, 64 * 48).reshape(48, 64).astype(dtype)
    path = tmp_path / 'a.tif'
    Image.fromarray(levels).save(path)
    with pytest.warns(UserWarning, match='no level above 4095, and is read as nearly black'):
        pixels = load_rgb(path)
    assert pixels.max() == round(largest / 257)


@pytest.mark.parametrize('largest', [0, TWELVE_BITS + 1, 65535])
def test_others_are_not(largest):
    """Black images and those that use more levels."""
    image = Image.fromarray(np.full((4, 4), largest, np.uint16))
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        assert scale_grey(image, 'a.png').max() == round(largest / 257)
