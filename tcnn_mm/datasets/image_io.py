"""Pictures as stored: any mode becomes 8-bit BGR, and no rotation is applied."""

import io

import numpy as np
from mmengine import fileio
from PIL import Image, UnidentifiedImageError

from tcnn_mm.errors import UserError

# Photos of any size are data here, not an attack.
Image.MAX_IMAGE_PIXELS = None


def _open(path):
    try:
        return Image.open(io.BytesIO(fileio.get(path)))
    except FileNotFoundError as error:
        raise UserError(f'{path}: no such picture') from error
    except (UnidentifiedImageError, OSError) as error:
        raise UserError(f'{path}: not a picture that can be read') from error


def load_bgr(path):
    """Read a picture's pixels, the toolbox's way.

    Grey, palette, CMYK and transparent pictures become three channels; 16-bit ones are scaled to
    8 bits. An EXIF orientation is ignored: annotated boxes are in stored pixels.

    Args:
        path (str): A file, or anything that mmengine's fileio reads.

    Returns:
        ndarray: (H, W, 3) uint8 BGR.

    Raises:
        UserError: Missing, truncated or undecodable; one line with the path.
    """
    picture = _open(path)
    try:
        if picture.mode.startswith('I') or picture.mode == 'F':
            # Pillow's own conversion clips 16 bits at 255.
            grey = np.asarray(picture).astype(np.float64)
            top = 65535.0 if grey.max(initial=0) > 255 else 255.0
            grey = np.clip(np.rint(grey * (255.0 / top)), 0, 255).astype(np.uint8)
            rgb = np.repeat(grey[..., None], 3, axis=2)
        else:
            rgb = np.asarray(picture.convert('RGB'))
    except (OSError, SyntaxError, ValueError) as error:
        raise UserError(f'{path}: damaged picture ({error})') from error
    return np.ascontiguousarray(rgb[..., ::-1])


def image_size(path):
    """(height, width) from the header of a picture; errors as for :func:`load_bgr`."""
    with _open(path) as picture:
        return picture.height, picture.width
