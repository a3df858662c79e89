"""Clip annotated boxes to their image."""

import numpy as np

from tcnn_mm.datasets.image_ids import printable
from tcnn_mm.errors import UserError


def clip_boxes(boxes: np.ndarray, height: int, width: int, path: object) -> tuple[np.ndarray, int]:
    """Clip boxes to an image.

    Args:
        boxes: (N, 4) xyxy in pixels, 0-based edges.
        height, width: Of the image, in pixels.
        path: The annotation or image, for the error.

    Returns:
        The clipped boxes (N, 4), and how many of them changed.

    Raises:
        UserError: A box wholly outside; one line with the path and the box as VOC counts.
    """
    clipped = boxes.copy()
    clipped[:, 0::2] = clipped[:, 0::2].clip(0, width)
    clipped[:, 1::2] = clipped[:, 1::2].clip(0, height)
    empty = (clipped[:, 2:] <= clipped[:, :2]).any(1)
    if empty.any():
        x1, y1, x2, y2 = boxes[empty.argmax()]
        raise UserError(
            f'{printable(str(path))}: box ({x1 + 1:g}, {y1 + 1:g}, {x2:g}, {y2:g}) lies wholly '
            f'outside the image of {width}×{height} pixels; was the image rotated or resized '
            'afterwards?'
        )
    return clipped, int((clipped != boxes).any(1).sum())
