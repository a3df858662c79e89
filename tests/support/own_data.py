"""Write the same few images in the formats that people have: VOC, COCO, CSV, folders."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.support.voc_folder import write_voc_folder

CLASSES = ('blue', 'red')
SHAPE = (90, 120)


def drawn(count: int = 8) -> list[tuple[str, np.ndarray, str, tuple[int, int, int, int]]]:
    """Draw one square per image: name, image (90, 120, 3) uint8, class name, VOC box."""
    random, found = np.random.default_rng(0), []
    for at in range(count):
        image = random.integers(100, 140, (*SHAPE, 3), dtype=np.uint8)
        x, y, side = *random.integers(0, 30, 2), int(random.integers(50, 60))
        image[y : y + side, x : x + side] = (40, 40, 220) if at % 2 == 0 else (220, 40, 40)
        box = (int(x) + 1, int(y) + 1, int(x) + side, int(y) + side)
        found.append((f'image_{at}', image, CLASSES[at % 2], box))
    return found


def write_voc(root: Path, splits: dict | None = None, count: int = 8) -> Path:
    """Write a VOC folder; see :func:`write_voc_folder`."""
    images = {name: (image, [dict(name=c, box=b)]) for name, image, c, b in drawn(count)}
    return write_voc_folder(root, images, splits)


def write_images(folder: Path, count: int = 8) -> None:
    """Write the images alone, as PNG files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, image, *_ in drawn(count):
        Image.fromarray(image).save(folder / f'{name}.png')


def coco(numbers: Sequence[int], **more: Any) -> dict[str, Any]:
    """Make a COCO annotation dict of some of the images; categories are not sorted by name."""
    images, annotations = [], []
    for at, (name, _, class_name, (x1, y1, x2, y2)) in enumerate(drawn(max(numbers) + 1)):
        if at not in numbers:
            continue
        images.append(dict(id=at, file_name=f'{name}.png', height=SHAPE[0], width=SHAPE[1]))
        width, height = x2 - x1 + 1, y2 - y1 + 1
        box = [x1 - 1, y1 - 1, width, height]
        kind = 7 if class_name == 'blue' else 3
        annotation = dict(id=at + 1, image_id=at, category_id=kind, bbox=box, area=width * height)
        annotations.append(dict(annotation, iscrowd=0))
    categories = [dict(id=7, name='blue'), dict(id=3, name='red')]
    return dict(images=images, annotations=annotations, categories=categories, **more)


def write_coco(root: Path, count: int = 8, train: int | None = None) -> Path:
    """Write root/images and root/annotations/instances_{train,val}.json, or instances_all.json.

    Args:
        train: Number of images for training; None writes the one file of all.
    """
    write_images(root / 'images', count)
    (root / 'annotations').mkdir(parents=True, exist_ok=True)
    parts = {'all': range(count)} if train is None else {}
    if train is not None:
        parts = dict(train=range(train), val=range(train, count))
    for role, numbers in parts.items():
        path = root / 'annotations' / f'instances_{role}.json'
        path.write_text(json.dumps(coco(list(numbers))))
    return root


def write_csv(root: Path, count: int = 8) -> Path:
    """Write the images and labels.csv beside them."""
    write_images(root, count)
    rows = [f'{name}.png,{c}' for name, _, c, _ in drawn(count)]
    (root / 'labels.csv').write_text('\n'.join(['file,label', *rows]) + '\n')
    return root


def write_folders(root: Path, count: int = 8) -> Path:
    """Write one folder per class."""
    for name, image, class_name, _ in drawn(count):
        (root / class_name).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(root / class_name / f'{name}.png')
    return root
