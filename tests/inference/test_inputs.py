"""Images that a user gives: flattened, read, and counted for the warnings."""

import numpy as np
import pytest
from PIL import Image

from tcnn_mm.errors import UserError
from tcnn_mm.inference.inputs import ReadLog, check_boxes, list_images, read_image


def test_lists_and_folders_are_flattened(tmp_path):
    """Nested lists keep their order; folders are sorted; other files are counted."""
    for name in ('b.jpg', 'a.PNG', 'notes.txt', '.hidden.jpg', 'more/c.webp'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b'')
    array = np.zeros((2, 2, 3), np.uint8)
    found, others = list_images([array, [str(tmp_path)], tmp_path / 'b.jpg'])
    assert found[0] is array and others == 2
    names = [path.removeprefix(f'{tmp_path}/') for path in found[1:]]
    assert names == ['a.PNG', 'b.jpg', 'more/c.webp', 'b.jpg']


def test_what_a_reading_counts(tmp_path):
    """Unreadable files and ignored rotations; pixels rotated on request."""
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new('RGB', (30, 20)).save(tmp_path / 'a.png', exif=exif)
    log = ReadLog()
    assert read_image(str(tmp_path / 'a.png'), 'rgb', False, log).shape == (20, 30, 3)
    assert read_image(str(tmp_path / 'a.png'), 'rgb', True, log).shape == (30, 20, 3)
    assert isinstance(read_image(str(tmp_path / 'none.png'), 'rgb', False, log), UserError)
    assert log == ReadLog(unreadable=1, rotated=1)


def test_warnings_name_the_counts():
    """One line per count; none where all was read as expected."""
    assert ReadLog().warnings(3) == []
    lines = ReadLog(1, 2, 4).warnings(5)
    assert [line.split(' ')[0] for line in lines] == ['1', '2', '4']
    assert 'EXIF rotation was ignored' in lines[1] and 'upright=True' in lines[1]


def test_boxes_are_given_where_they_are_needed():
    """One box per image for a model of persons, none for others."""
    assert check_boxes(None, 2, needed=False) == [None, None]
    (box,) = check_boxes([[1, 2, 3, 4]], 1, needed=True)
    assert box.dtype == np.float32 and box.tolist() == [1, 2, 3, 4]
    for boxes, number, needed, message in (
        (None, 1, True, 'give boxes='),
        ([[1, 2, 3, 4]], 1, False, 'takes none'),
        ([[1, 2, 3, 4]], 2, True, '2 images need as many boxes'),
        ([[3, 2, 3, 4]], 1, True, 'x2 > x1'),
    ):
        with pytest.raises(UserError, match=message):
            check_boxes(boxes, number, needed)
