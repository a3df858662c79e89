"""Contact sheets: each patch is where it should be, in its colours."""

import numpy as np

from tcnn_mm.visualization.contact_sheet import contact_sheet, crop_box

RED, BLUE = (np.full((20, 20, 3), color, np.uint8) for color in ((200, 0, 0), (0, 0, 200)))


def test_a_contact_sheet_has_each_patch_in_its_place():
    """Row by row, `columns` in a row, each with its colours; frames where asked."""
    sheet = contact_sheet(
        [RED, BLUE, RED], ['1', '2', '3'], columns=2, side=40, colors=['lime'] * 3
    )
    assert sheet.shape[1] == 2 * 46 + 6 and sheet.shape[0] > 2 * 46
    for (x, y), color in (((26, 26), RED), ((72, 26), BLUE), ((26, 88), RED)):
        assert (sheet[y, x] == color[0, 0]).all()
    assert (sheet == (0, 255, 0)).all(2).sum() > 3 * 4 * 40
    assert contact_sheet([RED], ['1']).shape[1] == 96 + 12


def test_crop_box_takes_the_part_inside():
    """A box that extends beyond the image gives the part inside, at least one pixel."""
    image = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    assert (crop_box(image, (-3, 1, 2, 9)) == image[1:, :2]).all()
    assert crop_box(image, (7, 7, 9, 9)).size
