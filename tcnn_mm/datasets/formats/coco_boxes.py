"""The box of one annotation in COCO's format."""

import math
from collections.abc import Sequence
from typing import Any

from tcnn_mm.datasets.formats.annotated_images import Box
from tcnn_mm.datasets.formats.check_boxes import ENOUGH
from tcnn_mm.datasets.formats.coco_masks import segmentation_box
from tcnn_mm.datasets.formats.json_values import JsonFile, as_number, shown
from tcnn_mm.errors import UserError

# A box may reach over the image by so many pixels before it counts as outside.
SLACK = 1.0


def read_box(annotation: dict[str, Any], where: str, file: JsonFile) -> Box:
    """The box of `bbox`, else of `segmentation`.

    Args:
        annotation: One entry of the file.
        where: Its place, for messages.
        file: Counts repairs.

    Returns:
        (x1, y1, x2, y2) in pixels, 0-based edges; x2 < x1 where the width is negative.

    Raises:
        UserError: No box; a box that is not four finite numbers.
    """
    box = annotation.get('bbox')
    if box is None or box == []:
        found = segmentation_box(annotation.get('segmentation'))
        if found is None:
            state = ' has no "bbox"' if 'bbox' not in annotation else f': bbox is {shown(box)}'
            raise file.error(where, f'{state}, and no segmentation: remove it, or add a box')
        file.repair('no bbox: box of the segmentation', where)
        return found
    if isinstance(box, list) and len(box) == 5:
        raise file.error(
            where,
            f': bbox is {shown(box)}, a rotated box? give upright boxes [x, y, width, height]',
        )
    numbers = [as_number(value) for value in box] if isinstance(box, list) else []
    if len(numbers) == 4 and None not in numbers:
        x, y, width, height = (number or 0.0 for number in numbers)
        if math.isfinite(x + width) and math.isfinite(y + height):
            if any(isinstance(value, str) for value in box):
                file.repair('bbox is text, read as numbers', where)
            return x, y, x + width, y + height
    raise file.error(
        where, f': bbox is {shown(box)}, expected [x, y, width, height] in pixels; fix or remove it'
    )


def refuse_corners(path: str, found: Sequence[tuple[Box, tuple[int, int] | None]]) -> None:
    """Refuse boxes that are [x1, y1, x2, y2] where COCO has [x, y, width, height].

    They are taken for corners where most boxes reach out of their images as COCO reads them, and
    all are inside as corners.

    Args:
        path: The file, for the error.
        found: Boxes (x1, y1, x2, y2) as COCO reads them, with height and width of their image.

    Raises:
        UserError: All boxes are corners.
    """
    outside = total = 0
    for (x, y, x2, y2), size_hw in found:
        if size_hw is None:
            continue
        height, width = size_hw
        total += 1
        outside += x2 > width + SLACK or y2 > height + SLACK
        right, bottom = x2 - x, y2 - y
        inside = x < right <= width + SLACK and y < bottom <= height + SLACK
        if min(x, y) < -SLACK or not inside:
            return
    if total >= ENOUGH and outside > total / 2:
        raise UserError(
            f'{path}: {outside} of {total} boxes reach out of their images as [x, y, width, '
            'height], and none does as [x1, y1, x2, y2]; write width and height, as COCO has them'
        )
