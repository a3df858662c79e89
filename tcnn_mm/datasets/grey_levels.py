"""Grey images of more than 8 bits."""

import os
import warnings

import numpy as np
from PIL import Image

from tcnn_mm.datasets.image_ids import printable
from tcnn_mm.errors import UserError

# The largest level of 12 bits: what many cameras and scanners write into 16.
TWELVE_BITS = 4095


def scale_grey(image: Image.Image, path: str | os.PathLike) -> np.ndarray:
    """(H, W) uint8 of a 16-bit grey image; Pillow's own conversion clips it at 255.

    Warns where no level needs more than 12 bits: as 16-bit levels they are nearly black, and the
    scores of such an image are wrong without any other sign.

    Args:
        image: Of mode I, I;16 or F.
        path: For the error.

    Raises:
        UserError: Levels outside of 0 … 65535, or of mode F.
    """
    grey = np.asarray(image)
    if image.mode == 'F' or grey.min(initial=0) < 0 or grey.max(initial=0) > 65535:
        raise UserError(
            f'{printable(path)}: grey levels {grey.min():g} to {grey.max():g} of mode '
            f'{image.mode}; save it with 8 bits, or 16 bits (0 to 65535)'
        )
    if 0 < grey.max(initial=0) <= TWELVE_BITS:
        # Without the path, so that Python says it once per process.
        warnings.warn(
            f'a grey image of 16 bits has no level above {TWELVE_BITS}, and is read as nearly '
            'black (white is 65535); if its levels have 8, 10 or 12 bits, save it with 8',
            stacklevel=2,
        )
    return ((grey.astype(np.uint32) + 128) // 257).astype(np.uint8)
