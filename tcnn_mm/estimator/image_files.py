"""The files of a fit's images: paths as they are, arrays and PIL images written losslessly."""

import os
import os.path as osp
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from PIL import Image

from tcnn_mm.datasets.image_records import write_records
from tcnn_mm.estimator.targets import Targets
from tcnn_mm.inference.inputs import OneImage, read_rgb


def check_images(images: Any) -> list[OneImage]:
    """A list of single images.

    Args:
        images: Sequence of paths of files, uint8 arrays (H, W, 3) RGB or (H, W), PIL images; or
            one array (N, H, W, 3) or (N, H, W).

    Raises:
        TypeError: One image instead of a sequence, or another type of image.
    """
    one = (str, bytes, os.PathLike, Image.Image)
    if isinstance(images, one) or not isinstance(images, Iterable):
        raise TypeError(f'images must be a sequence of images, found {type(images).__name__}')
    if isinstance(images, np.ndarray) and images.dtype != object and _is_one_image(images.shape):
        raise TypeError(
            f'images: one array of shape {images.shape} is one image; give a list, [image], also '
            'for many grey images, list(images)'
        )
    found: list[OneImage] = []
    for number, image in enumerate(images):
        if isinstance(image, os.PathLike):
            image = os.fspath(image)
        if not isinstance(image, (str, np.ndarray, Image.Image)):
            raise TypeError(
                f'image {number}: a path, an array (H, W, 3) or a PIL image; found '
                f'{type(image).__name__}'
            )
        if isinstance(image, str) and osp.isdir(image):
            raise TypeError(f'image {number}: {image} is a folder; give the files')
        found.append(str(image) if isinstance(image, str) else image)
    return found


def _is_one_image(shape: tuple[int, ...]) -> bool:
    """Whether an array is (H, W), or (H, W, C) rather than grey images of 1 to 4 columns."""
    return len(shape) == 2 or (len(shape) == 3 and shape[-1] <= 4)


def write_images(images: Sequence[OneImage], folder: str) -> list[str]:
    """Absolute path of each image's file; those in memory become FOLDER/NNNNNN.png.

    Raises:
        ValueError: An array of another shape or dtype.
    """
    paths = []
    for number, image in enumerate(images):
        if isinstance(image, str):
            paths.append(osp.abspath(osp.expanduser(image)))
            continue
        os.makedirs(folder, exist_ok=True)
        path = osp.join(folder, f'{number:06d}.png')
        Image.fromarray(read_rgb(image)).save(path, compress_level=1)
        paths.append(path)
    return paths


def write_training_set(images: Sequence[OneImage], targets: Targets, folder: str) -> str:
    """Write FOLDER/records.json, and FOLDER/images for images in memory.

    Returns:
        Path of the records, as :class:`ImageRecords` reads them. Ids are the images' numbers.
    """
    records = []
    for number, file in enumerate(write_images(images, osp.join(folder, 'images'))):
        record: dict[str, Any] = dict(id=f'{number:06d}', file=file, labels=targets.labels[number])
        if targets.boxes is not None and targets.box_labels is not None:
            record['boxes'] = targets.boxes[number].tolist()
            record['box_labels'] = targets.box_labels[number]
        records.append(record)
    path = osp.join(folder, 'records.json')
    write_records(path, [str(name) for name in targets.classes], records)
    return path
