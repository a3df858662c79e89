"""Regions of the CSV that VIA (VGG Image Annotator, versions 1 and 2) exports."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from tcnn_mm.datasets.formats.account import Account
from tcnn_mm.datasets.formats.annotated_images import AnnotatedImage, AnnotatedObject, Box
from tcnn_mm.datasets.formats.column_names import LABEL_NAMES
from tcnn_mm.datasets.formats.table_cells import Column, plain_name
from tcnn_mm.datasets.formats.table_rows import FileRow
from tcnn_mm.datasets.formats.table_text import shown
from tcnn_mm.datasets.image_ids import printable
from tcnn_mm.errors import UserError

RECT = ('x', 'y', 'width', 'height')
# Shapes with their points; circles and ellipses have a centre and radii.
WITH_POINTS = ('polygon', 'polyline')
# Attributes that VIA writes by itself or that say how an image looks, not what is on it.
NAME_ATTRIBUTES = LABEL_NAMES | {'name', 'type', 'object', 'species'}


def read_via(
    rows: Sequence[FileRow], columns: Sequence[Column], account: Account
) -> list[AnnotatedImage]:
    """Read the boxes of regions; their class is the one attribute of text.

    Args:
        rows: Those whose images exist.
        columns: All columns of the table.
        account: Counts regions that have no box: points.

    Raises:
        UserError: Broken JSON, a region without class or with several attributes.
    """
    named = {column.heading.lower(): column for column in columns}
    shapes, attributes = named['region_shape_attributes'], named['region_attributes']
    images: dict[str, AnnotatedImage] = {}
    for row in rows:
        image = images.setdefault(row.file, AnnotatedImage(row.file, 'all', row.where))
        shape = _json(shapes, row)
        if not shape:
            continue
        box = _box(shape, row)
        if box is None:
            kind = printable(str(shape.get('name')))[:20]
            account.lose_object(f'region of VIA is a {kind}, which has no box', row.where)
            continue
        name = _class(_json(attributes, row), row)
        image.objects.append(AnnotatedObject(name, box, f'{row.where} ({printable(name)})'))
    return list(images.values())


def _json(column: Column, row: FileRow) -> dict[str, Any]:
    text = column.cells[row.at]
    try:
        content = json.loads(text or '{}')
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise UserError(
            f'{row.where}: {column.title} of VIA holds {shown(text)}, expected JSON; export again'
        )
    return content


def _box(shape: Mapping[str, Any], row: FileRow) -> Box | None:
    """The rectangle, or the one around another shape; None of a point."""
    kind = shape.get('name')
    if kind == 'rect':
        x, y, width, height = [_number(shape.get(key), key, row) for key in RECT]
        return x, y, x + width, y + height
    if kind in WITH_POINTS:
        x_values, y_values = (_numbers(shape, f'all_points_{axis}', row) for axis in 'xy')
        return min(x_values), min(y_values), max(x_values), max(y_values)
    if kind not in ('circle', 'ellipse'):
        return None
    x, y = (_number(shape.get(key), key, row) for key in ('cx', 'cy'))
    keys = ('r', 'r') if kind == 'circle' else ('rx', 'ry')
    rx, ry = (_number(shape.get(key), key, row) for key in keys)
    if shape.get('theta'):  # a tilted ellipse; VIA 1 has none
        angle = _number(shape.get('theta'), 'theta', row)
        cos, sin = math.cos(angle), math.sin(angle)
        rx, ry = math.hypot(rx * cos, ry * sin), math.hypot(rx * sin, ry * cos)
    return x - rx, y - ry, x + rx, y + ry


def _numbers(shape: Mapping[str, Any], key: str, row: FileRow) -> list[float]:
    values = shape.get(key)
    if not isinstance(values, list) or not values:
        raise UserError(f'{row.where}: a {shape.get("name")} of VIA without "{key}"; export again')
    return [_number(value, key, row) for value in values]


def _number(value: Any, key: str, row: FileRow) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e9:
        raise UserError(
            f'{row.where}: "{key}" of the region is {printable(str(value))[:20]}, not a number'
        )
    return float(value)


def _class(attributes: Mapping[str, Any], row: FileRow) -> str:
    """The class of a region: its only attribute, or the only one named like a class."""
    texts = {key: _text(value) for key, value in attributes.items()}
    texts = {key: text for key, text in texts.items() if text}
    if len(texts) > 1:
        texts = {key: t for key, t in texts.items() if plain_name(key) in NAME_ATTRIBUTES}
    if len(texts) != 1:
        keys = ', '.join(shown(key, 20) for key in list(attributes)[:4]) or 'none'
        raise UserError(
            f'{row.where}: the class of this region of VIA is not clear (attributes: {keys}); give '
            'each region one attribute "class"'
        )
    return next(iter(texts.values()))


def _text(value: Any) -> str:
    """A text, or the one option that is ticked: {"cat": true}."""
    if isinstance(value, dict):
        ticked = [str(key) for key, on in value.items() if on]
        return ticked[0].strip() if len(ticked) == 1 else ''
    return value.strip() if isinstance(value, str) else ''
