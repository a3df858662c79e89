"""One rule for the boxes of every format: corners sorted, clipped, without empty ones."""

import math
from collections.abc import Iterable, Sequence

from tcnn_mm.datasets.formats.account import Account
from tcnn_mm.datasets.formats.annotated_images import AnnotatedImage, AnnotatedObject, Box
from tcnn_mm.errors import UserError

# A box in fractions may reach over the image by so much before it counts as outside.
FRACTION_SLACK = 0.01
# Fewer boxes do not show whether they are corners.
ENOUGH = 4


def refuse_fractions(root: str, images: Sequence[AnnotatedImage]) -> None:
    """Refuse data whose boxes are all in fractions of the image's sides where pixels are due.

    Args:
        root: Of the data, for the error.
        images: Of one data set.

    Raises:
        UserError: There are boxes, and no coordinate of any is larger than 1.
    """
    pixels = [o for image in images for o in image.objects if not o.relative]
    if not pixels or any(abs(value) > 1 for o in pixels for value in o.box):
        return
    first = pixels[0]
    raise UserError(
        f'{root}: all boxes are less than a pixel (the first is {first.box} in {first.where}): '
        'normalized to 0…1? multiply them by width and height of the image, or export in YOLO '
        'format'
    )


def refuse_fraction_corners(root: str, images: Sequence[AnnotatedImage]) -> None:
    """Refuse boxes in fractions that are corners where centre, width and height are due.

    They are taken for corners where most boxes reach out of their images as YOLO reads them, and
    all are inside as corners.

    Args:
        root: Of the data, for the error.
        images: Of one data set.

    Raises:
        UserError: All boxes are corners.
    """
    found = [o for image in images for o in image.objects if o.relative]
    outside = 0
    for item in found:
        x1, y1, x2, y2 = item.box
        x, y, right, bottom = (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1
        outside += min(x1, y1) < -FRACTION_SLACK or max(x2, y2) > 1 + FRACTION_SLACK
        if not (x < right <= 1 + FRACTION_SLACK and y < bottom <= 1 + FRACTION_SLACK):
            return
    if len(found) >= ENOUGH and outside > len(found) / 2:
        raise UserError(
            f'{root}: {outside} of {len(found)} boxes reach out of their images as "x y width '
            f'height" of centre and sides, and none does as "x1 y1 x2 y2" (the first is in '
            f'{found[0].where}); write centre, width and height, as YOLO has them'
        )


def sort_corners(box: Box) -> Box:
    """A box with its smaller coordinates first."""
    x1, y1, x2, y2 = box
    return min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)


def check_boxes(
    objects: Iterable[AnnotatedObject], size_hw: tuple[int, int], account: Account
) -> list[AnnotatedObject]:
    """Bring the objects of one image to boxes in pixels inside the image.

    Corners are sorted; a box that reaches over the image is clipped; a second object with the
    class and box of another is a duplicate. These are repairs. Left out are boxes that are not
    finite, wholly outside, or less than one pixel wide or high.

    Args:
        objects: Of one image.
        size_hw: Height and width of the image that the boxes are on, in pixels.
        account: Counts repairs and losses.

    Returns:
        The objects that are used, with new boxes, in the same order.
    """
    height, width = size_hw
    kept: dict[tuple[str, Box], AnnotatedObject] = {}
    for item in objects:
        box = item.box
        if not all(map(math.isfinite, box)):
            account.lose_object('box has a coordinate that is not a finite number', item.where)
            continue
        if item.relative:
            box = box[0] * width, box[1] * height, box[2] * width, box[3] * height
        x1, y1, x2, y2 = sort_corners(box)
        if (x1, y1, x2, y2) != box:
            account.repair('corners of a box sorted', item.where)
        if min(x2 - x1, y2 - y1) < 1:
            account.lose_object('box is less than one pixel wide or high', item.where)
            continue
        clipped = max(x1, 0.0), max(y1, 0.0), min(x2, float(width)), min(y2, float(height))
        if clipped[0] >= clipped[2] or clipped[1] >= clipped[3]:
            account.lose_object(
                f'box lies wholly outside the image of {width}×{height} pixels', item.where
            )
            continue
        if min(clipped[2] - clipped[0], clipped[3] - clipped[1]) < 1:
            account.lose_object('less than one pixel of the box is in the image', item.where)
            continue
        # Up to half a pixel is the rounding of tools, not a fault.
        if max(abs(a - b) for a, b in zip(clipped, (x1, y1, x2, y2), strict=True)) > 0.5:
            account.repair('box reached over the image and was clipped', item.where)
        if (item.name, clipped) in kept:
            account.repair('duplicate object removed', item.where)
            continue
        kept[item.name, clipped] = AnnotatedObject(
            item.name, clipped, item.where, item.difficult, item.truncated
        )
    return list(kept.values())
