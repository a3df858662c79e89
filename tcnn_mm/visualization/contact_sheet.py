"""Draw patches in rows with captions."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw


def contact_sheet(
    patches: Sequence[np.ndarray],
    captions: Sequence[str],
    columns: int = 8,
    side: int = 96,
    colors: Sequence[str | tuple[int, int, int]] | None = None,
) -> np.ndarray:
    """Draw patches as squares in rows, each above its caption.

    Args:
        patches: P images (h, w, 3) uint8 RGB, any sizes.
        captions: P short lines.
        columns: Patches per row. Defaults to 8.
        side: Side of a patch on the sheet, pixels. Defaults to 96.
        colors: P colours of frames, as Pillow takes them. Defaults to no frames.

    Returns:
        (h', w', 3) uint8 RGB on white.
    """
    gap, line = 6, 16
    columns = max(1, min(columns, len(patches)))
    rows = -(-len(patches) // columns)
    sheet = Image.new(
        'RGB', (columns * (side + gap) + gap, max(1, rows) * (side + line + gap) + gap), 'white'
    )
    pen = ImageDraw.Draw(sheet)
    for i, (patch, caption) in enumerate(zip(patches, captions, strict=True)):
        x = gap + i % columns * (side + gap)
        y = gap + i // columns * (side + line + gap)
        sheet.paste(Image.fromarray(patch).resize((side, side), Image.Resampling.BICUBIC), (x, y))
        if colors:
            pen.rectangle((x - 2, y - 2, x + side + 1, y + side + 1), outline=colors[i], width=2)
        pen.text((x, y + side + 3), caption, fill=(40, 50, 60))
    return np.asarray(sheet)


def crop_box(image: np.ndarray, box: Iterable[Any]) -> np.ndarray:
    """Crop a box from an image for display; only what lies inside, at least one pixel.

    Args:
        image: (H, W, 3).
        box: (4,) xyxy pixels, rounded to whole ones.

    Returns:
        (h, w, 3), a copy.
    """
    height, width = image.shape[:2]
    x1, y1, x2, y2 = (round(float(value)) for value in box)
    x1, y1 = max(0, min(x1, width - 1)), max(0, min(y1, height - 1))
    return np.ascontiguousarray(image[y1 : max(y2, y1 + 1), x1 : max(x2, x1 + 1)])
