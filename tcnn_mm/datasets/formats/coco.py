"""Annotation files in COCO's format: one JSON of images, boxes and categories.

The parser checks what it reads. A fault of the file's structure is an error that names file,
entry and key; what has one possible meaning is repaired and counted in the account:

- ids that are text in one place and numbers in another; numbers that are text;
- no `bbox`, or an empty one: the box of the segmentation;
- `area` is not used: a box has the area of its sides;
- `iscrowd` as text; an annotation marked `ignore` is difficult, as a crowd is;
- ids of annotations may be missing, or the same: nothing refers to them;
- a size of 0 is unknown;
- several categories of one name are one class.
"""

import os.path as osp
from collections import Counter
from typing import Any, NamedTuple

from tcnn_mm.datasets.formats.account import Account, named
from tcnn_mm.datasets.formats.annotated_images import AnnotatedObject
from tcnn_mm.datasets.formats.coco_boxes import read_box, refuse_corners
from tcnn_mm.datasets.formats.json_values import (
    ById,
    JsonFile,
    as_id,
    as_number,
    id_number,
    load_json,
    shown,
)
from tcnn_mm.datasets.image_ids import printable
from tcnn_mm.errors import UserError

SECTIONS = ('images', 'annotations', 'categories')
UNLISTED = 'the file lists no image of its image_id'


class CocoImage(NamedTuple):
    """One image with its objects.

    Attributes:
        file_name (str): As the file says it.
        size_hw (tuple[int, int], optional): None where the file does not say both.
        objects (list[AnnotatedObject]): In the file's order; their boxes may be empty, or reach
            over the image. Crowds and what is marked `ignore` are difficult.
        where (str): File and image, for messages.
    """

    file_name: str
    size_hw: tuple[int, int] | None
    objects: list[AnnotatedObject]
    where: str


class CocoFile(NamedTuple):
    """The content of one file.

    Attributes:
        images (list[CocoImage]): In the file's order.
        classes (list[str]): Names of the categories by their ids, the order of labels that COCO's
            tools use; those that no annotation uses are among them, a root category is not.
    """

    images: list[CocoImage]
    classes: list[str]


class Category(NamedTuple):
    """One category: its id, name and the name of its supercategory ('' for none)."""

    id: int | str
    name: str
    parent: str


def read_coco(path: str) -> dict[str, Any]:
    """Read the JSON of a COCO annotation file.

    Raises:
        UserError: No such file, what :func:`load_json` refuses, no list of images, annotations or
            categories in it.
    """
    if not osp.isfile(path):
        raise UserError(f'no COCO annotations: {path}\nlooked for {osp.abspath(path)}')
    content = load_json(path)
    check_sections(content, path)
    return content


def check_sections(content: Any, path: str) -> None:
    """Raise UserError where one of COCO's sections is missing."""
    if not is_coco(content):
        lacking = next(s for s in SECTIONS if not isinstance(content, dict) or s not in content)
        raise UserError(f'{path}: not in COCO\'s format: no "{lacking}" in it')


def is_coco(content: Any) -> bool:
    """Whether a JSON's content has COCO's three sections."""
    return isinstance(content, dict) and set(SECTIONS) <= set(content)


def parse_coco(
    content: dict[str, Any], path: str, account: Account, label: str | None = None
) -> CocoFile:
    """Give every image its objects.

    Args:
        content: Of :func:`read_coco`.
        path: The file, for errors.
        account: Counts repairs and the annotations that are left out: of images that the file
            does not list, and with a negative width or height.
        label: The file, for the account. Defaults to `path`.

    Raises:
        UserError: A fault of the file's structure (see above); one line with the entry and key.
    """
    file = JsonFile(path, path if label is None else label, account)
    categories = _categories(content, file)
    images = _images(content, file)
    used: set[int | str] = set()
    for at, annotation in enumerate(file.section(content, 'annotations', 'annotation'), 1):
        where = _place('annotation', at, annotation)
        image, retyped = images.find(file.id(annotation, 'image_id', where))
        if image is None:
            account.lose_object(UNLISTED, file.place(where))
            continue
        if retyped:
            file.repair("image_id is text and the image's id a number, or reverse", where)
        category = _category(categories, annotation, where, file)
        used.add(category.id)
        item = _object(category.name, annotation, where, file)
        if item.box[2] < item.box[0] or item.box[3] < item.box[1]:
            account.lose_object('bbox has a negative width or height', item.where)
            continue
        image.objects.append(item)
    found = list(images.entries.values())
    refuse_corners(
        path,
        [(item.box, image.size_hw) for image in found if image.size_hw for item in image.objects],
    )
    return CocoFile(found, _classes(list(categories.entries.values()), used, file))


def _place(one: str, at: int, entry: dict[str, Any]) -> str:
    """An entry in words: its place in the list from 1, and its id where that is another number."""
    number = as_id(entry.get('id'))
    return f'{one} {at}' if number is None or number == at else f'{one} {at} (id {shown(number)})'


def _categories(content: dict[str, Any], file: JsonFile) -> ById[Category]:
    found: ById[Category] = ById()
    for at, entry in enumerate(file.section(content, 'categories', 'category'), 1):
        where = f'category {at}'
        number = file.id(entry, 'id', where)
        written = file.text(entry, 'name', where)
        name = ' '.join(written.split())
        if name != written:
            file.repair('blanks around or in the name of a category', where)
        category = Category(number, name, _parent(entry))
        other = found.add(number, category)
        if other.name != name:
            text = f': duplicate id {shown(number)} of {shown(other.name)} and {shown(name)}'
            raise file.error(where, text)
        if other is not category:
            file.repair('category is listed more than once', where)
    return found


def _parent(entry: dict[str, Any]) -> str:
    parent = entry.get('supercategory')
    return ' '.join(parent.split()) if isinstance(parent, str) else ''


def _images(content: dict[str, Any], file: JsonFile) -> ById[CocoImage]:
    found: ById[CocoImage] = ById()
    names: dict[str, str] = {}
    for at, entry in enumerate(file.section(content, 'images', 'image'), 1):
        where = f'image {at}'
        number = file.id(entry, 'id', where)
        file_name = file.text(entry, 'file_name', where)
        image = CocoImage(file_name, file.size_hw(entry, where), [], file.place(where))
        other = found.add(number, image)
        if other is not image:
            text = f': duplicate id {shown(number)}, also of {shown(other.file_name)}'
            raise file.error(where, f'{text}; give every image its own id')
        normal = normal_name(file_name)
        first = names.setdefault(normal, where)
        if first != where:
            text = f': duplicate file_name {printable(normal)}, also of {first}'
            raise file.error(where, f'{text}; list every image once')
    return found


def normal_name(file_name: str) -> str:
    """A file name with '/' for its separators, without './' and '//'."""
    return osp.normpath(file_name.replace('\\', '/'))


def _category(
    categories: ById[Category], annotation: dict[str, Any], where: str, file: JsonFile
) -> Category:
    if 'segments_info' in annotation:
        raise file.error(where, ' is panoptic (segments_info); give the file of instances')
    number = file.id(annotation, 'category_id', where)
    category, retyped = categories.find(number)
    if category is None:
        known = named([shown(key) for key in categories.entries]) or 'none'
        text = f': category_id {shown(number)} is not among the categories ({known}); add it'
        raise file.error(where, text)
    if retyped:
        file.repair("category_id is text and the category's id a number, or reverse", where)
    return category


def _object(name: str, annotation: dict[str, Any], where: str, file: JsonFile) -> AnnotatedObject:
    box = read_box(annotation, where, file)
    if 'area' in annotation and annotation['area'] is not None:
        area = as_number(annotation['area'])
        if (area is None or area <= 0) and box[0] != box[2] and box[1] != box[3]:
            file.repair('area is not positive: that of the box counts', where)
    crowd, ignore = (file.flag(annotation, key, where) for key in ('iscrowd', 'ignore'))
    if ignore and not crowd:
        file.repair('marked "ignore": used as difficult', where)
    return AnnotatedObject(name, box, file.place(where), difficult=crowd or ignore)


def _classes(categories: list[Category], used: set[int | str], file: JsonFile) -> list[str]:
    """Names of the categories, each once, by their ids: numbers first."""
    root = _root(categories, used)
    if root is not None:
        file.account.note(
            f'category {shown(root.name)} (id {shown(root.id)}) is the root of the '
            'others and has no annotation: no class'
        )
    kept = sorted((c for c in categories if c is not root), key=_order)
    ids: dict[str, list[str]] = {}
    for category in kept:
        ids.setdefault(category.name, []).append(shown(category.id))
    for name, same in ids.items():
        if len(same) > 1:
            file.account.note(f'categories {named(same)} are all {shown(name)}: one class')
    return list(ids)


def _order(category: Category) -> tuple[bool, int, str]:
    number = id_number(category.id)
    return number is None, number or 0, str(category.id)


def _root(categories: list[Category], used: set[int | str]) -> Category | None:
    """The category that Roboflow adds: no annotation uses it, all others are below it."""
    children = Counter(category.parent for category in categories)
    for category in categories:
        below = children[category.name] - (category.parent == category.name)
        if category.id not in used and 0 < below == len(categories) - 1:
            return category
    return None
