"""The patches that speak loudest for a class, side by side."""

import numpy as np
from PIL import Image, ImageDraw


def contact_sheet(patches, captions, columns=8, side=96, colors=None):
    """Square patches in rows, each over its caption.

    Args:
        patches (list[ndarray]): (h, w, 3) uint8 RGB each, any sizes.
        captions (list[str]): One short line each.
        columns (int): Patches in a row. Defaults to 8.
        side (int): Of a patch on the sheet, pixels. Defaults to 96.
        colors (list, optional): Of each patch's frame, as Pillow takes them. Defaults to none.

    Returns:
        ndarray: (h', w', 3) uint8 RGB on white.
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


def cut(image, box):
    """The pixels of a box (xyxy, edges) of a picture (H, W, 3), at least one; for showing."""
    height, width = image.shape[:2]
    x1, y1 = (
        max(0, min(round(float(v)), n - 1)) for v, n in zip(box[:2], (width, height), strict=True)
    )
    x2, y2 = round(float(box[2])), round(float(box[3]))
    return np.ascontiguousarray(image[y1 : max(y2, y1 + 1), x1 : max(x2, x1 + 1)])
