"""The box around each kind of shape that CVAT draws."""

import xml.etree.ElementTree as ET
from collections.abc import Iterable

from tcnn_mm.datasets.formats.annotated_images import Box
from tcnn_mm.datasets.formats.xml_head import read_number
from tcnn_mm.errors import UserError

CORNERS = ('xtl', 'ytl', 'xbr', 'ybr')
WITH_POINTS = ('polygon', 'polyline', 'points')
SHAPES = ('box', 'mask', 'ellipse', 'cuboid', 'skeleton', *WITH_POINTS)
EXPORT = 'export it as COCO, which has upright boxes'


def shape_box(shape: ET.Element, where: str) -> Box:
    """The box of a shape, in pixels.

    Args:
        shape: An element called as one of :data:`SHAPES`. A cuboid is the box around its eight
            corners, a skeleton that around its points without those outside of the image.
        where: File, image and shape, for errors.

    Raises:
        UserError: A rotated shape, a value that is no number, no points.
    """
    if read_number(shape.get('rotation') or '0', f'{where}, rotation') % 360:
        raise UserError(
            f'{where} is rotated by {shape.get("rotation")} degrees; only upright boxes are used: '
            f'{EXPORT}'
        )
    if shape.tag == 'box':
        x1, y1, x2, y2 = _numbers(shape, CORNERS, where)
        return x1, y1, x2, y2
    if shape.tag == 'mask':
        x1, y1, width, height = _numbers(shape, ('left', 'top', 'width', 'height'), where)
        return x1, y1, x1 + width, y1 + height
    if shape.tag == 'ellipse':
        x, y, rx, ry = _numbers(shape, ('cx', 'cy', 'rx', 'ry'), where)
        return x - rx, y - ry, x + rx, y + ry
    if shape.tag == 'cuboid':
        names = [name for name in shape.attrib if name[0] in 'xy' and name[-1] in '12']
        pairs = [(name, f'y{name[1:]}') for name in sorted(names) if name[0] == 'x']
        return _around([_numbers(shape, pair, where) for pair in pairs], where)
    if shape.tag == 'skeleton':
        nodes = [node for node in shape.iterfind('points') if node.get('outside') != '1']
        return _around([p for node in nodes for p in _points(node, where)], where)
    return _around(_points(shape, where), where)


def _points(shape: ET.Element, where: str) -> list[list[float]]:
    """The points of a shape, written 'x,y;x,y'."""
    pairs = [pair.split(',') for pair in (shape.get('points') or '').split(';') if pair.strip()]
    if any(len(pair) != 2 for pair in pairs):
        raise UserError(f'{where}: points are {shape.get("points", "")[:60]!r}, expected "x,y;x,y"')
    return [[read_number(value, f'{where}, points') for value in pair] for pair in pairs]


def _around(points: list[list[float]], where: str) -> Box:
    if not points:
        raise UserError(f'{where} has no points')
    x_values, y_values = zip(*points, strict=True)
    return min(x_values), min(y_values), max(x_values), max(y_values)


def _numbers(shape: ET.Element, keys: Iterable[str], where: str) -> list[float]:
    return [read_number(shape.get(key), f'{where}, {key}') for key in keys]
