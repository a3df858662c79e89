"""Annotation files in COCO's format: one JSON of images, boxes and categories."""

import json
import math
import os.path as osp
from collections import Counter
from typing import Any, NamedTuple

from tcnn_mm.errors import UserError

SECTIONS = ('images', 'annotations', 'categories')


class CocoObject(NamedTuple):
    """One annotation. `box`: (x1, y1, x2, y2) in pixels, 0-based edges; `crowd`: `iscrowd`."""

    name: str
    box: tuple[float, float, float, float]
    crowd: bool


class CocoImage(NamedTuple):
    """One image with its objects.

    Attributes:
        file_name (str): Normalized path, with its extension.
        height, width (int, optional): None where the file does not say them.
        objects (list[CocoObject]): In the file's order.
        empty (Counter): Per category name, the annotations left out because nothing of their box
            lies in the image, it is less than one pixel wide or high, its `area` is not positive,
            or they are marked `ignore`.
    """

    file_name: str
    height: int | None
    width: int | None
    objects: list[CocoObject]
    empty: Counter


def read_coco(path: str) -> dict[str, Any]:
    """Read the JSON of a COCO annotation file.

    Raises:
        UserError: No such file, not JSON, no list of images, annotations or categories in it.
    """
    if not osp.isfile(path):
        raise UserError(f'no COCO annotations: {path}\nlooked for {osp.abspath(path)}')
    try:
        with open(path, encoding='utf-8') as file:
            content = json.load(file)
    except ValueError as error:
        raise UserError(f'{path}: not JSON ({error})') from error
    if not is_coco(content):
        lacking = next(s for s in SECTIONS if not isinstance(content, dict) or s not in content)
        raise UserError(f'{path}: not in COCO\'s format: no "{lacking}" in it')
    return content


def is_coco(content: Any) -> bool:
    """Whether a JSON's content has COCO's three sections."""
    return isinstance(content, dict) and set(SECTIONS) <= set(content)


def coco_classes(content: dict[str, Any]) -> tuple[str, ...]:
    """Category names sorted by category id: the order of labels that COCO's tools use."""
    return tuple(c['name'] for c in sorted(content['categories'], key=lambda c: c['id']))


def parse_coco(content: dict[str, Any], path: str) -> list[CocoImage]:
    """Give every image its objects.

    Boxes are as in the file: they may reach over the image's edges.

    Args:
        content: Of :func:`read_coco`.
        path: The file, for errors.

    Returns:
        Images in the file's order. Annotations of images that the file does not list are skipped.

    Raises:
        UserError: A missing entry, a duplicate image id or file name, a box that is not four
            finite numbers; one line with the entry.
    """
    names = {
        _entry(c, 'id', f'{path}: category {at}'): _entry(c, 'name', f'{path}: category {at}')
        for at, c in enumerate(content['categories'], 1)
    }
    images: dict[Any, CocoImage] = {}
    for at, info in enumerate(content['images'], 1):
        where = f'{path}: image {at}'
        number = _entry(info, 'id', where)
        if number in images:
            raise UserError(f'{where}: duplicate id {number}')
        file_name = osp.normpath(str(_entry(info, 'file_name', where)))
        size_hw = info.get('height') or None, info.get('width') or None
        images[number] = CocoImage(file_name, *size_hw, [], Counter())
    counts = Counter(image.file_name for image in images.values())
    duplicate = next((name for name, count in counts.items() if count > 1), None)
    if duplicate is not None:
        raise UserError(f'{path}: duplicate file_name {duplicate}')
    for at, annotation in enumerate(content['annotations'], 1):
        where = f'{path}: annotation {annotation.get("id", f"number {at}")}'
        image = images.get(_entry(annotation, 'image_id', where))
        if image is None:
            continue
        category = _entry(annotation, 'category_id', where)
        name = str(names.get(category, category))
        x, y, width, height = _box(annotation, where)
        box = x, y, x + width, y + height
        area = annotation.get('area', width * height)
        small = min(width, height) < 1 or area <= 0
        if small or annotation.get('ignore') or not _overlaps(box, image):
            image.empty[name] += 1
        else:
            image.objects.append(CocoObject(name, box, bool(annotation.get('iscrowd', 0))))
    return list(images.values())


def count_unlisted(content: dict[str, Any]) -> int:
    """Number of annotations whose image the file does not list."""
    listed = {image['id'] for image in content['images']}
    return sum(annotation['image_id'] not in listed for annotation in content['annotations'])


def _entry(mapping: dict[str, Any], key: str, where: str) -> Any:
    if key not in mapping:
        raise UserError(f'{where} has no "{key}"')
    return mapping[key]


def _box(annotation: dict[str, Any], where: str) -> tuple[float, float, float, float]:
    """`bbox` as in the file: x, y, width, height."""
    box = _entry(annotation, 'bbox', where)
    try:
        x, y, width, height = map(float, box)
        valid = all(map(math.isfinite, (x, y, width, height)))
    except (TypeError, ValueError):
        valid = False
    if not valid:
        raise UserError(f'{where}: bbox is {box!r}, expected [x, y, width, height]')
    return x, y, width, height


def _overlaps(box: tuple[float, float, float, float], image: CocoImage) -> bool:
    """Whether a part of the box lies in the image; true where the image's size is unknown."""
    x1, y1, x2, y2 = box
    right = image.width if image.width else x2
    bottom = image.height if image.height else y2
    return min(x2, right) > max(x1, 0) and min(y2, bottom) > max(y1, 0)
