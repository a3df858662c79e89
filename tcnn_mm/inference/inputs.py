"""Read the images that a user gives: files, folders, arrays, PIL images, lists of them."""

import os
import os.path as osp
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from PIL import Image

from tcnn_mm.datasets.image_ids import printable
from tcnn_mm.datasets.image_io import (
    IMAGE_SUFFIXES,
    apply_orientation,
    exif_orientation,
    image_to_rgb,
    load_rgb,
)
from tcnn_mm.errors import InvalidValueError, UserError

# In the folder that `tcnn predict` writes, beside its `overlays`.
PREDICTION_FILES = {'predictions.json', 'predictions.jsonl'}

OneImage: TypeAlias = str | np.ndarray | Image.Image
UserImages: TypeAlias = 'str | os.PathLike[str] | np.ndarray | Image.Image | Sequence[UserImages]'


@dataclass
class ReadLog:
    """Counts what one warning at the end of a prediction tells.

    Attributes:
        unreadable (int): Images that could not be read.
        not_finite (int): Images whose scores are NaN or infinite.
        rotated (int): Images whose EXIF rotation was ignored.
        other_files (int): Files of folders that are not images by their suffix.
    """

    unreadable: int = 0
    rotated: int = 0
    other_files: int = 0
    not_finite: int = 0

    def warnings(self, total: int) -> list[str]:
        """One line per count that is not 0; `total` images were given."""
        lines = []
        if self.unreadable:
            lines.append(
                f'{self.unreadable} of {total} images could not be read: their results hold an '
                '"error"'
            )
        if self.not_finite:
            lines.append(
                f'{self.not_finite} of {total} images: the scores are NaN or infinite; their '
                'results hold an "error"'
            )
        if self.rotated:
            lines.append(
                f'{self.rotated} of {total} images: EXIF rotation was ignored; '
                'pass upright=True (tcnn predict --upright) to apply it'
            )
        if self.other_files:
            lines.append(
                f'{self.other_files} files of the folders were not read: their suffix is none of '
                f'{", ".join(IMAGE_SUFFIXES)}'
            )
        return lines


def images_below(folder: str, skip: Collection[str] = ()) -> tuple[list[str], int]:
    """Find the images of a folder and its subfolders by their suffix.

    Overlays that `tcnn predict` wrote are none.

    Args:
        folder: The folder.
        skip: Real paths of subfolders that are not looked into.

    Returns:
        Sorted paths without hidden files, and the number of other files.

    Raises:
        UserError: The folder holds no image.
    """
    found, others = [], 0
    for place, folders, files in os.walk(folder):
        if not PREDICTION_FILES.isdisjoint(files):
            folders[:] = [name for name in folders if name != 'overlays']
        if skip:
            folders[:] = [
                name for name in folders if osp.realpath(osp.join(place, name)) not in skip
            ]
        folders.sort()
        for name in sorted(files):
            if name.lower().endswith(IMAGE_SUFFIXES) and not name.startswith('.'):
                found.append(osp.join(place, name))
            else:
                others += 1
    if not found:
        raise UserError(
            f'{printable(folder)}: no images ({", ".join(IMAGE_SUFFIXES)}) among its {others} files'
        )
    return found, others


def list_images(images: UserImages, skip: Collection[str] = ()) -> tuple[list[OneImage], int]:
    """Flatten what was given; folders are listed, files are not read.

    Args:
        images: A path of an image or a folder, an array, a PIL image, or a list or tuple of them.
        skip: As for :func:`images_below`.

    Returns:
        The images, and the number of files of folders that are not images.

    Raises:
        TypeError: Something else was given.
    """
    if isinstance(images, (str, os.PathLike)):
        path = os.fspath(images)
        if osp.isdir(path):
            found, others = images_below(path, skip)
            return list(found), others
        return [path], 0
    if isinstance(images, (np.ndarray, Image.Image)):
        return [images], 0
    if not isinstance(images, (list, tuple)):
        raise TypeError(
            'images are paths, arrays (H, W, 3), PIL images, or lists of them; found '
            f'{type(images).__name__}'
        )
    parts = [list_images(image, skip) for image in images]
    return [image for part, _ in parts for image in part], sum(other for _, other in parts)


def read_rgb(image: OneImage, channel_order: str = 'rgb') -> np.ndarray:
    """Read the pixels of one image; files as stored, without EXIF rotation.

    Args:
        image: A path, a PIL image, or an array (H, W, 3) or (H, W) uint8.
        channel_order: Of an array with three channels: 'rgb', or 'bgr' as cv2 and mmcv read them.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        UserError: The file cannot be read; one line with the path.
        InvalidValueError: The array has another shape or dtype.
    """
    if isinstance(image, str):
        return load_rgb(image)
    if isinstance(image, Image.Image):
        return image_to_rgb(image)
    colored = image.ndim == 3 and image.shape[2] == 3
    if image.dtype != np.uint8 or not (colored or image.ndim == 2) or not image.size:
        raise InvalidValueError(
            f'an array must be (H, W, 3) or (H, W) uint8, found {image.shape} {image.dtype}'
        )
    if not colored:
        return np.repeat(image[..., None], 3, axis=2)
    return image if channel_order == 'rgb' else np.ascontiguousarray(image[..., ::-1])


def read_image(
    image: OneImage, channel_order: str, upright: bool, log: ReadLog
) -> np.ndarray | UserError:
    """Read one image; a file that cannot be read gives its error in place of pixels.

    Args:
        image: See :func:`read_rgb`.
        channel_order: See :func:`read_rgb`.
        upright: Apply the EXIF rotation.
        log: Its counts are increased.

    Returns:
        (H, W, 3) uint8 RGB, or the error.
    """
    try:
        pixels = read_rgb(image, channel_order)
        orientation = 1 if isinstance(image, np.ndarray) else exif_orientation(image)
    except UserError as error:
        if isinstance(image, np.ndarray):  # the caller's mistake, not a damaged file
            raise
        log.unreadable += 1
        return error
    if upright:
        return apply_orientation(pixels, orientation)
    log.rotated += orientation != 1
    return pixels


def check_boxes(
    boxes: Sequence[Sequence[float]] | np.ndarray | None, number: int, needed: bool
) -> list[np.ndarray | None]:
    """Check that boxes are given where the model scores persons, and only there.

    Args:
        boxes: One xyxy box per image, or None.
        number: Of images.
        needed: The model scores one square around a box.

    Returns:
        One box (4,) float32 per image; None each for a model that takes no boxes.

    Raises:
        UserError: Boxes are missing, not asked for, too few or empty.
    """
    if boxes is None:
        if needed:
            raise UserError(
                "the model scores one square around a person's box: give boxes=[…], one xyxy box "
                'per image (an image with several persons several times)'
            )
        return [None] * number
    if not needed:
        raise UserError('boxes: this model scores the whole image; it takes none')
    checked = np.asarray(boxes, np.float32).reshape(-1, 4)
    if len(checked) != number or not (checked[:, 2:] > checked[:, :2]).all():
        raise UserError(
            f'boxes: {number} images need as many boxes [x1, y1, x2, y2] with x2 > x1 and '
            f'y2 > y1, found {checked.tolist()}'
        )
    return list(checked)
