"""The box around each shape of CVAT."""

import xml.etree.ElementTree as ET

import pytest

from tcnn_mm.datasets.formats.cvat_shapes import shape_box
from tcnn_mm.errors import UserError

CUBOID = ' '.join(
    f'{axis}{corner}="{value}"'
    for corner, x, y in (
        ('tl1', 10, 5), ('bl1', 11, 40), ('tr1', 30, 6), ('br1', 31, 41),
        ('tl2', 14, 2), ('bl2', 15, 35), ('tr2', 36, 3), ('br2', 35, 36),
    )
    for axis, value in (('x', x), ('y', y))
)  # fmt: skip
SKELETON = (
    '<points label="head" outside="0" points="5.5,6"/><points label="foot" points="9,30"/>'
    '<points label="hand" outside="1" points="99,99"/>'
)


@pytest.mark.parametrize(
    ('shape', 'box'),
    [
        ('<box xtl="1" ytl="2.5" xbr="30" ybr="40"/>', (1, 2.5, 30, 40)),
        ('<box xtl="1" ytl="2.5" xbr="30" ybr="40" rotation="0.00"/>', (1, 2.5, 30, 40)),
        ('<box xtl="30" ytl="40" xbr="1" ybr="2"/>', (30, 40, 1, 2)),
        ('<polygon points="5,6;20,9;7,30"/>', (5, 6, 20, 30)),
        ('<polyline points="5,6;20,9;"/>', (5, 6, 20, 9)),
        ('<points points="5,6"/>', (5, 6, 5, 6)),
        ('<mask rle="0, 4" left="3" top="4" width="10" height="20"/>', (3, 4, 13, 24)),
        ('<ellipse cx="20" cy="10" rx="5" ry="4"/>', (15, 6, 25, 14)),
        (f'<cuboid {CUBOID}/>', (10, 2, 36, 41)),
        (f'<skeleton>{SKELETON}</skeleton>', (5.5, 6, 9, 30)),
    ],
)
def test_the_box_of_each_shape(shape, box):
    """In pixels as written; `check_boxes` sorts corners and drops what is empty."""
    assert shape_box(ET.fromstring(shape), '') == box


@pytest.mark.parametrize(
    ('shape', 'message'),
    [
        ('<box xtl="1" ytl="2" xbr="9" ybr="9" rotation="30.5"/>', 'rotated by 30.5.*as COCO'),
        ('<ellipse cx="2" cy="1" rx="5" ry="4" rotation="30"/>', 'rotated by 30'),
        ('<box xtl="1" ytl="2" xbr="nan" ybr="9"/>', ", xbr is 'nan', expected a number"),
        ('<box xtl="1" ytl="2" xbr="9"/>', ', ybr is None, expected a number'),
        ('<polygon points=""/>', 'has no points'),
        ('<polygon points="5,6;7"/>', 'points are \'5,6;7\', expected "x,y;x,y"'),
        ('<polygon points="5,6;7,a"/>', ", points is 'a', expected a number"),
        ('<cuboid/>', 'has no points'),
        ('<skeleton/>', 'has no points'),
    ],
)
def test_what_has_no_upright_box_is_refused(shape, message):
    """In one line with the place."""
    with pytest.raises(UserError, match=f'place.*{message}') as caught:
        shape_box(ET.fromstring(shape), 'place')
    assert '\n' not in str(caught.value)
