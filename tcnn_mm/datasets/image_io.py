"""Read images as stored: any mode becomes 8-bit RGB or BGR, and no EXIF rotation is applied."""

import io
import os
import stat
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import numpy as np
from mmengine import fileio
from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.ExifTags import Base as Tag
from PIL.TiffImagePlugin import TiffImageFile

from tcnn_mm.datasets.grey_levels import scale_grey
from tcnn_mm.datasets.image_ids import printable
from tcnn_mm.datasets.remote_files import fetch, is_local
from tcnn_mm.errors import UserError
from tcnn_mm.limits import limit

# What counts as an image in a folder, in lower case; for training and for prediction alike.
IMAGE_SUFFIXES = (
    '.jpg', '.jpeg', '.jpe', '.jfif', '.png', '.bmp', '.gif', '.tif', '.tiff', '.webp', '.ppm',
    '.pgm',
)  # fmt: skip
UPRIGHT = 1
# What Pillow raises on damaged files and on modes it cannot convert, beside OSError.
_DAMAGE = (
    SyntaxError, ValueError, EOFError, OverflowError, MemoryError, NotImplementedError, KeyError,
    IndexError, TypeError, ZeroDivisionError, RuntimeError, struct.error,
)  # fmt: skip
# What is read, whatever the suffix says. Left out is what runs another program (EPS: Ghostscript)
# or is no photograph.
_FORMATS = (
    'JPEG', 'MPO', 'PNG', 'BMP', 'DIB', 'GIF', 'TIFF', 'WEBP', 'PPM', 'JPEG2000', 'AVIF', 'HEIF',
    'TGA', 'PCX', 'SGI', 'ICO',
)  # fmt: skip
_KINDS = {
    stat.S_IFDIR: 'a folder',
    stat.S_IFIFO: 'a pipe',
    stat.S_IFSOCK: 'a socket',
    stat.S_IFCHR: 'a device',
    stat.S_IFBLK: 'a device',
}
# The EXIF orientation that undoes another one; the others undo themselves.
_INVERSE = {6: 8, 8: 6}

AnyPath = str | os.PathLike


class _PixelLimit:
    """Pillow's process-wide limit on image sizes, lifted while any thread reads an image.

    Photos are data here, and the limit is :func:`_check_pixels`. Pillow's is the host's again after
    the last read ends.
    """

    def __init__(self) -> None:
        self._lock, self._readers = threading.Lock(), 0
        self._limit: int | None = None

    @contextmanager
    def lifted(self) -> Iterator[None]:
        with self._lock:
            if not self._readers:
                self._limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
            self._readers += 1
        try:
            yield
        finally:
            with self._lock:
                self._readers -= 1
                # A host that sets a limit in between keeps it.
                if not self._readers and Image.MAX_IMAGE_PIXELS is None:
                    Image.MAX_IMAGE_PIXELS = self._limit


_PIXEL_LIMIT = _PixelLimit()


@contextmanager
def _errors_of(path: AnyPath) -> Iterator[None]:
    """Turn whatever reading an image raises into one line with its path."""
    where = printable(path)
    try:
        with _PIXEL_LIMIT.lifted():
            yield
    except UserError:
        raise
    except FileNotFoundError as error:
        raise UserError(f'{where}: no such image') from error
    except UnidentifiedImageError as error:
        raise UserError(f'{where}: not an image that can be read') from error
    except (OSError, *_DAMAGE) as error:
        # The system's own errors (no permission, a folder) have a number, Pillow's have none.
        if isinstance(error, OSError) and error.errno:
            raise UserError(f'{where}: cannot be read ({error.strerror})') from error
        what = ' '.join(str(error).split()) or type(error).__name__
        raise UserError(f'{where}: damaged image ({what})') from error


@lru_cache
def _formats() -> list[str]:
    """Those of :data:`_FORMATS` that this Pillow reads."""
    Image.init()
    return [name for name in _FORMATS if name in Image.OPEN]


def check_regular(path: AnyPath) -> bool:
    """Refuse what is no file before it is opened: opening a pipe waits for a writer.

    Returns:
        Whether the path is one of this machine, and not of a remote store.

    Raises:
        UserError: A folder, pipe, socket or device.
    """
    if not is_local(path):
        return False
    with _errors_of(path):
        mode = os.stat(path).st_mode
    if not stat.S_ISREG(mode):
        raise UserError(f'{printable(path)}: not a file, but {_KINDS.get(stat.S_IFMT(mode))}')
    return True


def _check_pixels(image: Image.Image, path: AnyPath) -> None:
    """Refuse an image by the size that its header declares, before memory is taken for it."""
    if image.width * image.height > limit('TCNN_MAX_PIXELS'):
        raise UserError(
            f'{printable(path)}: {image.width} × {image.height} pixels, more than '
            f'{limit("TCNN_MAX_PIXELS"):,} in all; crop it or make it smaller, or raise the limit: '
            f'export TCNN_MAX_PIXELS={image.width * image.height}'
        )


@contextmanager
def _open(path: AnyPath) -> Iterator[Image.Image]:
    """Open an image of a size that may be decoded; of a local file no more is read than needed."""
    source = path if check_regular(path) else io.BytesIO(fetch(path))
    with Image.open(source, formats=_formats()) as image:
        _check_pixels(image, path)
        yield image


def _rotate(image: Image.Image, orientation: int) -> Image.Image:
    """The image as a viewer shows it for an EXIF orientation."""
    image = image.copy()
    image.getexif()[Tag.Orientation] = orientation
    return ImageOps.exif_transpose(image)


def _load_stored(image: Image.Image) -> Image.Image:
    """Load an opened image without rotation: Pillow applies a TIFF's, and only a TIFF's, itself."""
    applied = exif_orientation(image) if image.format == 'TIFF' else UPRIGHT
    image.load()
    return _rotate(image, _INVERSE.get(applied, applied)) if applied != UPRIGHT else image


def load_rgb(path: AnyPath) -> np.ndarray:
    """Read an image's stored pixels.

    Grey, palette, CMYK and transparent images become three channels; grey ones of 16 bits (modes
    I;16 and I) are divided by 257, with a warning where they have 12 bits or fewer. Of several
    frames or pages the first counts; transparency is dropped. An EXIF orientation is not applied:
    annotated boxes are in stored pixels.

    Args:
        path: A file, or anything that mmengine's fileio reads.

    Returns:
        (H, W, 3) uint8 RGB, contiguous.

    Raises:
        UserError: A missing, truncated or undecodable file, a pipe or device, more pixels than
            TCNN_MAX_PIXELS, or grey levels of unknown range; one line with the path.
    """
    with _errors_of(path), _open(path) as image:
        return np.ascontiguousarray(image_to_rgb(image, path))


def load_bgr(path: AnyPath) -> np.ndarray:
    """Read an image as (H, W, 3) uint8 BGR, the toolbox's order; as :func:`load_rgb` otherwise."""
    return np.ascontiguousarray(load_rgb(path)[..., ::-1])


def load_rgb_chw(path: AnyPath) -> np.ndarray:
    """Read an image as (3, H, W) uint8 RGB, the network's form; as :func:`load_rgb` otherwise."""
    return np.ascontiguousarray(load_rgb(path).transpose(2, 0, 1))


def image_to_rgb(image: Image.Image, name: AnyPath = 'PIL image') -> np.ndarray:
    """Convert an opened PIL image of any mode by the rules of :func:`load_rgb`.

    Args:
        image: Of any mode.
        name: For the error.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    with _errors_of(name):
        _check_pixels(image, name)
        image = _load_stored(image)
        if image.mode == 'F' or image.mode.startswith('I'):
            return np.repeat(scale_grey(image, name)[..., None], 3, axis=2)
        return np.asarray(image.convert('RGB'))


def decode_small(data: bytes, side: int, name: AnyPath) -> np.ndarray:
    """Decode the whole of an image file, by the rules of :func:`load_rgb`, into few pixels.

    A JPEG is decoded at 1/2, 1/4 or 1/8 of its size where both sides stay above `side`: several
    times faster, and all of its data are read.

    Args:
        data: Content of the file.
        side: Pixels.
        name: For the error.

    Returns:
        (H, W, 3) uint8 RGB, of the stored size or smaller.

    Raises:
        UserError: As for :func:`load_rgb`.
    """
    with _errors_of(name), Image.open(io.BytesIO(data), formats=_formats()) as image:
        _check_pixels(image, name)
        image.draft(None, (side, side))
        return image_to_rgb(image, name)


def read_bytes(path: AnyPath) -> bytes:
    """Content of a file; errors as for :func:`load_rgb`."""
    local = check_regular(path)
    with _errors_of(path):
        return fileio.get(path) if local else fetch(path)


def image_size(path: AnyPath) -> tuple[int, int]:
    """(height, width) in stored pixels from an image's header; errors as for :func:`load_rgb`."""
    with _errors_of(path), _open(path) as image:
        return _stored_size(image)


def read_header(path: AnyPath) -> tuple[tuple[int, int], int]:
    """Read an image's size and EXIF orientation; errors as for :func:`load_rgb`.

    A PNG is decoded for it: its EXIF data may follow the pixels.

    Returns:
        (height, width) in stored pixels, and the orientation of :func:`exif_orientation`.
    """
    with _errors_of(path), _open(path) as image:
        return _stored_size(image), exif_orientation(image)


def _stored_size(image: Image.Image) -> tuple[int, int]:
    if isinstance(image, TiffImageFile):  # Pillow turns its size
        return image.tag_v2[Tag.ImageLength], image.tag_v2[Tag.ImageWidth]
    return image.height, image.width


def exif_orientation(image: AnyPath | Image.Image) -> int:
    """EXIF orientation: 2 … 8, or 1 for upright (also without, or with an unknown, value).

    Args:
        image: A file, of which the header is read, or an opened image.
    """
    if isinstance(image, Image.Image):
        value = image.getexif().get(Tag.Orientation, UPRIGHT)
        return value if value in range(1, 9) else UPRIGHT
    with _errors_of(image), _open(image) as opened:
        return exif_orientation(opened)


def apply_orientation(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Stored pixels as a viewer shows them.

    Args:
        pixels: (H, W, 3) uint8.
        orientation: Of :func:`exif_orientation`.

    Returns:
        (H, W, 3) or (W, H, 3) uint8.
    """
    if orientation == UPRIGHT:
        return pixels
    return np.asarray(_rotate(Image.fromarray(pixels), orientation))
