"""Boxes of any form become boxes of at least one pixel in the image, or are counted."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcnn_mm.datasets.formats.account import Account, total
from tcnn_mm.datasets.formats.annotated_images import AnnotatedImage, AnnotatedObject
from tcnn_mm.datasets.formats.check_boxes import (
    check_boxes,
    refuse_fraction_corners,
    refuse_fractions,
)
from tcnn_mm.errors import UserError


def objects(*boxes, **more):
    return [AnnotatedObject('cat', box, f'o{n}', **more) for n, box in enumerate(boxes)]


def checked(*boxes, **more):
    account = Account()
    found = check_boxes(objects(*boxes, **more), (80, 100), account)
    return [item.box for item in found], account


def test_repairs():
    """Corners are sorted, boxes clipped, duplicates removed, fractions multiplied: all counted."""
    found, account = checked((50, 40, 10, 20), (-5, 10, 20, 90), (10, 20, 50, 40))
    assert found == [(10, 20, 50, 40), (0, 10, 20, 80)] and not account.lost_objects
    assert {reason: len(entry) for reason, entry in account.repairs.items()} == {
        'corners of a box sorted': 1,
        'box reached over the image and was clipped': 1,
        'duplicate object removed': 1,
    }
    assert checked((0.25, 0.5, 0.75, 1.0), relative=True)[0] == [(25, 40, 75, 80)]


@pytest.mark.parametrize(
    'box',
    [(10, 10, 10, 40), (10, 10, 10.5, 40), (200, 10, 260, 40), (99.5, 10, 150, 40),
     (math.nan, 0, 5, 5), (0, 0, math.inf, 5)],
)  # fmt: skip
def test_losses(box):
    """Empty boxes, boxes outside and boxes that are no numbers are left out and counted."""
    found, account = checked(box)
    assert not found and total(account.lost_objects) == 1


def test_rounding_of_tools_is_no_repair():
    """Half a pixel over the edge is clipped without a word."""
    found, account = checked((0, 0, 100.4, 80.5))
    assert found == [(0, 0, 100, 80)] and not account.repairs


def test_boxes_in_fractions_are_named():
    """All boxes within 0…1 where pixels are due: an error that says so; one large box is enough."""
    image = AnnotatedImage('a.jpg', 'all', 'a.xml', objects((0.1, 0.2, 0.5, 0.9)))
    with pytest.raises(UserError, match='normalized'):
        refuse_fractions('data', [image])
    refuse_fractions('data', [image, AnnotatedImage('b', 'all', 'b', objects((0, 0, 9, 9)))])
    relative = objects((0.1, 0.2, 0.5, 0.9), relative=True)
    refuse_fractions('data', [AnnotatedImage('a', 'all', 'a', relative)])


numbers = st.floats(-300, 300) | st.just(math.nan) | st.just(math.inf)


@given(st.lists(st.tuples(numbers, numbers, numbers, numbers), max_size=6))
def test_nothing_is_lost_without_being_counted(boxes):
    """Every box is used, or counted as left out or as a duplicate; used ones fit the image."""
    found, account = checked(*boxes)
    duplicates = len(account.repairs.get('duplicate object removed', ()))
    assert len(found) + total(account.lost_objects) + duplicates == len(boxes)
    for x1, y1, x2, y2 in found:
        assert x1 >= 0 and x2 <= 100 and y1 >= 0 and y2 <= 80
        assert x2 - x1 >= 1 and y2 - y1 >= 1


def test_corners_in_fractions_are_refused():
    """Labels in YOLO's files that are x1 y1 x2 y2: clipped they would be other objects."""

    def read(*rows):
        boxes = [(x - w / 2, y - h / 2, x + w / 2, y + h / 2) for x, y, w, h in rows]
        image = AnnotatedImage('a.png', 'all', 'a.txt', objects(*boxes, relative=True))
        refuse_fraction_corners('data', [image])

    corners = [(0.1, 0.1, 0.9, 0.9), (0.4, 0.5, 0.9, 0.8), (0.2, 0.3, 0.8, 0.9), (0.3, 0, 0.9, 0.4)]
    with pytest.raises(UserError, match=r'data: 4 of 4 boxes reach out .*o0\); write centre'):
        read(*corners)
    read(*corners[:3])  # too few to tell
    read(*corners, (0.5, 0.5, 0.2, 0.2))  # no corners: right of the left side
    read(*[(0.5, 0.5, 1, 1)] * 5)
    read(*[(0.5, 0.5, 0.1, 0.1)] * 5)
