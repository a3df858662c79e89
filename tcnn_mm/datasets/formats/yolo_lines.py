"""One line of a label file in YOLO's format: class number, then a box or a polygon."""

import re

from tcnn_mm.datasets.formats.annotated_images import Box
from tcnn_mm.datasets.formats.text_file import wide_encoding
from tcnn_mm.datasets.image_ids import printable
from tcnn_mm.errors import UserError

NUMBER = r'[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?'
# Some converters write the class as a float: '0.0 0.5 …'.
LINE = re.compile(rf'(\d{{1,9}})(?:\.0*)?((?:\s+{NUMBER}){{4,}})', re.ASCII)
FORM = '"class x y width height", with the class as a number and the others as fractions'
# Fractions of tools may reach over the image; beyond this they are pixels.
LARGEST = 2.0
HEAD = 4096


def looks_like_labels(path: str) -> bool | None:
    """Whether most of the first lines of a file are objects of YOLO; None for an empty file."""
    with open(path, 'rb') as file:
        head = file.read(HEAD)
    text = head.decode('utf-16' if wide_encoding(head) else 'utf-8-sig', 'replace')
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(head) == HEAD and len(lines) > 1:
        lines.pop()  # cut off
    if not lines:
        return None
    return sum(LINE.fullmatch(line) is not None for line in lines[:5]) * 2 >= len(lines[:5])


def parse_line(line: str, where: str, pose: bool = False) -> tuple[int, Box]:
    """Parse one line.

    Args:
        line: A class number and four numbers (centre, width and height), or six and more (x and y
            of the corners of a polygon; rotated boxes are polygons of four), in fractions of the
            image's width and height.
        where: File and line, for errors.
        pose: The numbers from the fifth on are key points, which are passed over.

    Returns:
        Class number and (x1, y1, x2, y2) of the box, or of the one around the polygon, in
        fractions.

    Raises:
        UserError: Another form, pixels, a confidence.
    """
    found = LINE.fullmatch(line.strip())
    text = repr(printable(line.strip()[:50]))
    if found is None:
        raise UserError(f'{where}: {text}; expected {FORM}')
    values = [float(value) for value in found[2].split()]
    if pose:
        values = values[:4]
    if max(map(abs, values)) > LARGEST:
        raise UserError(f'{where}: {text} is in pixels; expected {FORM} of the image')
    if len(values) == 4:
        x, y, width, height = values
        box = x - width / 2, y - height / 2, x + width / 2, y + height / 2
    elif len(values) == 5:
        raise UserError(
            f'{where}: {text} has a confidence at its end: a prediction of a model, no annotation; '
            f'expected {FORM}'
        )
    elif len(values) % 2:
        raise UserError(
            f'{where}: {len(values)} numbers after the class; a box has 4, a polygon an even '
            'number; for labels with key points write kpt_shape into data.yaml'
        )
    else:
        x_values, y_values = values[0::2], values[1::2]
        box = min(x_values), min(y_values), max(x_values), max(y_values)
    return int(found[1]), box
