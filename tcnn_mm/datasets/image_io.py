"""Pictures as stored: any mode becomes 8-bit BGR, and no rotation is applied."""

import io
import struct
from contextlib import contextmanager

import numpy as np
from mmengine import fileio
from PIL import Image, UnidentifiedImageError
from PIL.ExifTags import Base as Tag

from tcnn_mm.errors import UserError

# Photos of any size are data here, not an attack.
Image.MAX_IMAGE_PIXELS = None

# What Pillow raises on damaged files and on modes it cannot convert, beside OSError.
_DAMAGE = (SyntaxError, ValueError, EOFError, OverflowError, MemoryError, struct.error)

# Pillow turns a TIFF, and only a TIFF, by its orientation as it loads; these turn it back.
_TURN_BACK = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


# What a viewer does to show a stored picture upright.
_TURN = {**_TURN_BACK, 6: Image.Transpose.ROTATE_270, 8: Image.Transpose.ROTATE_90}


@contextmanager
def _naming(path):
    """Whatever reading a picture raises becomes one line with its path."""
    try:
        yield
    except FileNotFoundError as error:
        raise UserError(f'{path}: no such picture') from error
    except UnidentifiedImageError as error:
        raise UserError(f'{path}: not a picture that can be read') from error
    except (OSError, *_DAMAGE) as error:
        # The system's own errors (no permission, a folder) have a number, Pillow's have none.
        if getattr(error, 'errno', None):
            raise UserError(f'{path}: cannot be read ({error.strerror})') from error
        what = ' '.join(str(error).split()) or type(error).__name__
        raise UserError(f'{path}: damaged picture ({what})') from error


def _stored(picture):
    """The loaded picture, not turned."""
    turned = picture.getexif().get(Tag.Orientation, 1) if picture.format == 'TIFF' else 1
    picture.load()
    return picture.transpose(_TURN_BACK[turned]) if turned in _TURN_BACK else picture


def _scaled_grey(picture, path):
    """(H, W) uint8 of a 16-bit grey picture; Pillow's own conversion clips it at 255."""
    grey = np.asarray(picture)
    if picture.mode == 'F' or grey.min(initial=0) < 0 or grey.max(initial=0) > 65535:
        raise UserError(
            f'{path}: grey levels {grey.min():g} to {grey.max():g} of mode {picture.mode}; '
            'save it with 8 bits, or 16 bits (0 to 65535)'
        )
    return ((grey.astype(np.uint32) + 128) // 257).astype(np.uint8)


def load_bgr(path):
    """Read a picture's pixels, the toolbox's way.

    Grey, palette, CMYK and transparent pictures become three channels; grey ones of 16 bits
    (modes I;16 and I) are divided by 257. An EXIF orientation is not applied: annotated boxes
    are in stored pixels.

    Args:
        path (str): A file, or anything that mmengine's fileio reads.

    Returns:
        ndarray: (H, W, 3) uint8 BGR.

    Raises:
        UserError: Missing, truncated or undecodable, or grey levels of unknown range; one line
            with the path.
    """
    with _naming(path), Image.open(io.BytesIO(fileio.get(path))) as picture:
        return np.ascontiguousarray(picture_to_rgb(picture, path)[..., ::-1])


def picture_to_rgb(picture, name='PIL image'):
    """Pixels of an opened PIL image, (H, W, 3) uint8 RGB, by the rules of :func:`load_bgr`.

    Args:
        picture (PIL.Image.Image): Of any mode.
        name (str): For the error.
    """
    with _naming(name):
        picture = _stored(picture)
        if picture.mode == 'F' or picture.mode.startswith('I'):
            return np.repeat(_scaled_grey(picture, name)[..., None], 3, axis=2)
        return np.asarray(picture.convert('RGB'))


def image_size(path):
    """(height, width) in stored pixels from a picture's header; errors as for `load_bgr`."""
    with _naming(path), fileio.get_local_path(path) as local, Image.open(local) as picture:
        if picture.format == 'TIFF':
            return picture.tag_v2[Tag.ImageLength], picture.tag_v2[Tag.ImageWidth]
        return picture.height, picture.width


def exif_orientation(picture):
    """How a viewer would turn a stored picture: EXIF's 2 … 8, or 1 for not at all.

    Args:
        picture (str | PIL.Image.Image): A file, of which the header is read, or an opened one.
    """
    if isinstance(picture, Image.Image):
        value = picture.getexif().get(Tag.Orientation, 1)
        return value if value in _TURN else 1
    with _naming(picture), Image.open(io.BytesIO(fileio.get(picture))) as opened:
        return exif_orientation(opened)


def turn_upright(pixels, orientation):
    """Stored pixels (H, W, 3) uint8 as a viewer shows them, for an :func:`exif_orientation`."""
    if orientation == 1:
        return pixels
    return np.asarray(Image.fromarray(pixels).transpose(_TURN[orientation]))


def load_rgb_chw(path):
    """Decode a picture for the network: (3, H, W) uint8 RGB; as :func:`load_bgr` else."""
    return np.ascontiguousarray(load_bgr(path)[..., ::-1].transpose(2, 0, 1))
