"""The box of a segmentation in COCO's format: polygons or run lengths."""

from typing import Any

import numpy as np

from tcnn_mm.datasets.formats.annotated_images import Box
from tcnn_mm.datasets.formats.json_values import as_number

# A mask of more pixels is taken for damaged.
MAX_PIXELS = 2**32


def segmentation_box(segmentation: Any) -> Box | None:
    """The smallest box around a segmentation.

    Args:
        segmentation: Polygons `[[x, y, x, y, …], …]`, one polygon, or run lengths
            `{"size": [height, width], "counts": [...] or text}`.

    Returns:
        (x1, y1, x2, y2) in pixels, 0-based edges; None where it is neither, or empty.
    """
    if isinstance(segmentation, dict):
        return _run_box(segmentation)
    if not isinstance(segmentation, list):
        return None
    polygons = segmentation if any(isinstance(p, list) for p in segmentation) else [segmentation]
    points: list[float] = []
    for polygon in polygons:
        if not isinstance(polygon, list) or len(polygon) % 2:
            return None
        numbers = [as_number(value) for value in polygon]
        points += [number for number in numbers if number is not None]
        if None in numbers:
            return None
    if len(points) < 6:
        return None
    xs, ys = points[0::2], points[1::2]
    return min(xs), min(ys), max(xs), max(ys)


def _run_box(mask: dict[str, Any]) -> Box | None:
    """The box of run lengths: they count down the columns, zeros first."""
    size, counts = mask.get('size'), mask.get('counts')
    sides = [as_number(side) for side in size] if isinstance(size, list) else []
    if len(sides) != 2 or None in sides:
        return None
    height, width = (int(side or 0) for side in sides)
    if isinstance(counts, str):
        counts = _unpacked(counts)
    if not isinstance(counts, list) or not all(type(c) is int and c >= 0 for c in counts):
        return None
    if not 0 < height * width <= MAX_PIXELS or sum(counts) != height * width:
        return None
    ends = np.cumsum(np.array(counts, np.int64))
    starts, stops = ends[0::2][: len(counts) // 2], ends[1::2]
    starts, stops = starts[stops > starts], stops[stops > starts]
    if not len(starts):
        return None
    first, last = starts // height, (stops - 1) // height
    # A run that goes on in the next column has a pixel in the top and in the bottom row.
    over = bool((last > first).any())
    top = 0 if over else int((starts % height).min())
    bottom = height if over else int(((stops - 1) % height).max()) + 1
    return float(first.min()), float(top), float(last.max()) + 1.0, float(bottom)


def _unpacked(text: str) -> list[int] | None:
    """Run lengths of COCO's compressed text: five bits per letter, differences from the third.

    None where the text is not of this form.
    """
    counts: list[int] = []
    value = shift = 0
    for letter in text:
        code = ord(letter) - 48
        if not 0 <= code < 64 or shift > 60:
            return None
        value |= (code & 31) << shift
        shift += 5
        if code & 32:
            continue
        if code & 16:
            value -= 1 << shift
        if len(counts) > 2:
            value += counts[-2]
        counts.append(value)
        value = shift = 0
    return counts if not shift else None
