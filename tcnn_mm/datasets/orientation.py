"""Boxes between an image as stored and as its EXIF orientation shows it."""

from tcnn_mm.datasets.formats.annotated_images import Box

# EXIF orientations 5 … 8 exchange width and height.
TURNED = (5, 6, 7, 8)


def upright_size(size_hw: tuple[int, int], orientation: int) -> tuple[int, int]:
    """Height and width of the upright image, from those as stored (and back)."""
    return size_hw[::-1] if orientation in TURNED else size_hw


def to_upright(box: Box, size_hw: tuple[int, int], orientation: int) -> Box:
    """A box on the stored image as it is on the upright one.

    Args:
        box: xyxy in pixels, 0-based edges.
        size_hw: Height and width as stored.
        orientation: EXIF orientation, 1 … 8.
    """
    flipped = _flip(box, size_hw, orientation)
    return _exchange(flipped) if orientation in TURNED else flipped


def to_stored(box: Box, size_hw: tuple[int, int], orientation: int) -> Box:
    """A box on the upright image as it is on the stored one; inverse of :func:`to_upright`.

    Args:
        box: xyxy in pixels, 0-based edges.
        size_hw: Height and width as stored.
        orientation: EXIF orientation, 1 … 8.
    """
    lying = _exchange(box) if orientation in TURNED else box
    return _flip(lying, size_hw, orientation)


def _exchange(box: Box) -> Box:
    x1, y1, x2, y2 = box
    return y1, x1, y2, x2


def _flip(box: Box, size_hw: tuple[int, int], orientation: int) -> Box:
    """Mirror a box on the stored image as an orientation does; its own inverse."""
    height, width = size_hw
    x1, y1, x2, y2 = box
    if orientation in (2, 3, 7, 8):
        x1, x2 = width - x2, width - x1
    if orientation in (3, 4, 6, 7):
        y1, y2 = height - y2, height - y1
    return x1, y1, x2, y2
