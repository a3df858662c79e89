"""Regions of the CSV that VIA (VGG Image Annotator, versions 1 and 2) exports."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tcnn_mm.datasets.formats.account import Account
from tcnn_mm.datasets.formats.annotated_images import AnnotatedImage, AnnotatedObject
from tcnn_mm.datasets.formats.column_names import LABEL_NAMES
from tcnn_mm.datasets.formats.table_cells import Column, plain_name
from tcnn_mm.datasets.formats.table_rows import FileRow
from tcnn_mm.datasets.formats.table_text import printable, shown
from tcnn_mm.errors import UserError

RECT = ('x', 'y', 'width', 'height')
# Attributes that VIA writes by itself or that say how an image looks, not what is on it.
NAME_ATTRIBUTES = LABEL_NAMES | {'name', 'type', 'object', 'species'}


def read_via(
    rows: Sequence[FileRow], columns: Sequence[Column], account: Account
) -> list[AnnotatedImage]:
    """Read the rectangles; their class is the one attribute of text.

    Args:
        rows: Those whose images exist.
        columns: All columns of the table.
        account: Counts regions that are no rectangles.

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
        if shape.get('name') != 'rect':
            account.lose_object(
                f'region of VIA is a {printable(str(shape.get("name")))[:20]}, not a rectangle',
                row.where,
            )
            continue
        x, y, width, height = [_number(shape, key, row) for key in RECT]
        name = _class(_json(attributes, row), row)
        box = (x, y, x + width, y + height)
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


def _number(shape: Mapping[str, Any], key: str, row: FileRow) -> float:
    value = shape.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e9:
        raise UserError(
            f'{row.where}: "{key}" of the rectangle is {printable(str(value))[:20]}, not a number'
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
