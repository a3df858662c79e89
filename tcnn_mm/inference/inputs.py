"""What a user hands in as pictures: files, folders, arrays, PIL images, lists of them."""

import os
import os.path as osp

import numpy as np
from PIL import Image

from tcnn_mm.datasets.image_io import IMAGE_SUFFIXES, exif_orientation, image_to_rgb, load_rgb
from tcnn_mm.errors import UserError


def pictures_below(folder):
    """All pictures of a folder and its subfolders, sorted, and how many other files lie there.

    Returns:
        tuple[list[str], int]: paths by their extension (.jpg, .png …; hidden ones are others).

    Raises:
        UserError: There is no picture.
    """
    found, others = [], 0
    for place, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            if name.lower().endswith(IMAGE_SUFFIXES) and not name.startswith('.'):
                found.append(osp.join(place, name))
            else:
                others += 1
    if not found:
        raise UserError(
            f'{folder}: no pictures ({", ".join(IMAGE_SUFFIXES)}) among its {others} files'
        )
    return found, others


def list_pictures(images):
    """Flatten what was handed in; nothing is read but folders.

    Args:
        images: A path of a picture or a folder, an array, a PIL image, or a list or tuple of them.

    Returns:
        tuple[list, int]: pictures, and how many files of folders are none.

    Raises:
        TypeError: Something else.
    """
    if isinstance(images, (str, os.PathLike)):
        path = os.fspath(images)
        return pictures_below(path) if osp.isdir(path) else ([path], 0)
    if isinstance(images, (np.ndarray, Image.Image)):
        return [images], 0
    if not isinstance(images, (list, tuple)):
        raise TypeError(
            f'pictures are paths, arrays (H, W, 3), PIL images, or lists of them; found '
            f'{type(images).__name__}'
        )
    parts = [list_pictures(image) for image in images]
    return [picture for part, _ in parts for picture in part], sum(other for _, other in parts)


def read_rgb(picture, channel_order='rgb'):
    """One picture's pixels, (H, W, 3) uint8 RGB; files as stored, without EXIF rotation.

    Args:
        picture (str | ndarray | PIL.Image.Image): An array is (H, W, 3) or (H, W) uint8.
        channel_order (str): Of an array with three channels: 'rgb', or 'bgr' as cv2 and mmcv
            read them.

    Raises:
        UserError: A file that cannot be read; one line with the path.
        ValueError: An array of another kind.
    """
    if isinstance(picture, str):
        return load_rgb(picture)
    if isinstance(picture, Image.Image):
        return image_to_rgb(picture)
    colored = picture.ndim == 3 and picture.shape[2] == 3
    if picture.dtype != np.uint8 or not (colored or picture.ndim == 2) or not picture.size:
        raise ValueError(
            f'an array must be (H, W, 3) or (H, W) uint8, found {picture.shape} {picture.dtype}'
        )
    if not colored:
        return np.repeat(picture[..., None], 3, axis=2)
    return picture if channel_order == 'rgb' else np.ascontiguousarray(picture[..., ::-1])


def orientation_of(picture):
    """EXIF orientation of a path or PIL image (see :func:`exif_orientation`); 1 of an array."""
    return 1 if isinstance(picture, np.ndarray) else exif_orientation(picture)
