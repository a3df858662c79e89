"""One annotation file in PASCAL VOC's format."""

import os
import xml.etree.ElementTree as ET
from typing import TypedDict

from tcnn_mm.datasets.formats.check_boxes import sort_corners
from tcnn_mm.datasets.formats.xml_head import parse_xml, read_number
from tcnn_mm.errors import UserError

CORNERS = ('xmin', 'ymin', 'xmax', 'ymax')
FLAGS = ('difficult', 'truncated')
# What tools write for a value that they do not know, and for yes and no.
UNKNOWN = {'', 'none', 'null', 'nan', 'unspecified', 'unknown'}
WORDS = {'true': 1.0, 'yes': 1.0, 'false': 0.0, 'no': 0.0}


class BoxObject(TypedDict):
    """One <object>. `box`: (xmin, ymin, xmax, ymax) as in the file: from 1, last pixel included."""

    name: str
    box: tuple[float, float, float, float]
    difficult: bool
    truncated: bool


class VOCObject(BoxObject, total=False):
    """One <object>, with `actions` (name → bool) where the file has <actions>."""

    actions: dict[str, bool]


class VOCAnnotation(TypedDict):
    """One file.

    `width` and `height` are None where unknown. `empty` counts objects that were left out,
    `sorted` boxes whose corners were in another order. `filename` is '' where the file has none.
    """

    width: int | None
    height: int | None
    objects: list[VOCObject]
    empty: int
    sorted: int
    filename: str


def read_voc_xml(path: str | os.PathLike) -> VOCAnnotation:
    """Read one annotation file with its boxes as they are, also empty ones.

    The order of elements is free; `difficult`, `truncated`, `size` or all objects may be missing;
    elements may be in an XML namespace.

    Args:
        path: The XML file.

    Returns:
        Size and objects; an object has `actions` (name → bool) where the file has <actions>.

    Raises:
        UserError: Missing or broken XML, another root than <annotation>, an object without name
            or box, a value that is not a number; one line with the path.
    """
    root = _read_root(path)
    # Some tools write 0 for an unknown size.
    width, height = (
        int(_number_or_unknown(root.findtext(f'size/{key}'), f'{path}: {key}')) or None
        for key in ('width', 'height')
    )
    objects = [
        _parse_object(node, f'{path}: object {at}')
        for at, node in enumerate(root.iterfind('object'), 1)
    ]
    filename = (root.findtext('filename') or '').strip()
    return VOCAnnotation(
        width=width, height=height, objects=objects, empty=0, sorted=0, filename=filename
    )


def named_image(path: str | os.PathLike) -> str:
    """The <filename> of an annotation file, without blanks; '' without one, or in a broken file."""
    try:
        return (_read_root(path).findtext('filename') or '').strip()
    except UserError:  # it is raised where the file is read for its objects
        return ''


def parse_voc_xml(path: str | os.PathLike, allow_empty: bool = False) -> VOCAnnotation:
    """Read one annotation file as a data set needs it: corners sorted, no empty box.

    Args:
        path: The XML file.
        allow_empty: Leave out objects with an empty box instead of raising.

    Raises:
        UserError: What :func:`read_voc_xml` refuses, a box with x2 = x1 or y2 = y1.
    """
    annotation = read_voc_xml(path)
    kept = []
    for at, item in enumerate(annotation['objects'], 1):
        box = sort_corners(item['box'])
        annotation['sorted'] += box != item['box']
        item['box'] = box
        if box[2] > box[0] and box[3] > box[1]:
            kept.append(item)
            continue
        if not allow_empty:
            raise UserError(
                f'{path}: object {at} ({item["name"]}): empty box {box}, needs max > min; '
                'fix it, or leave such boxes out: VOCObjects(allow_empty=True)'
            )
        annotation['empty'] += 1
    annotation['objects'] = kept
    return annotation


def _read_root(path: str | os.PathLike) -> ET.Element:
    try:
        with open(path, 'rb') as file:
            root = parse_xml(file.read())
    except OSError as error:
        raise UserError(f'{path}: no annotation ({error.strerror})') from error
    except (ET.ParseError, ValueError, LookupError) as error:  # the last two: its encoding
        raise UserError(f'{path}: broken XML ({error}); save it again in UTF-8') from error
    for element in root.iter():
        if isinstance(element.tag, str):  # comments have none
            element.tag = element.tag.rpartition('}')[2]  # without its namespace
    if root.tag != 'annotation':
        raise UserError(f"{path}: not in VOC's format: <{root.tag}>, expected <annotation>")
    return root


def _parse_object(node: ET.Element, where: str) -> VOCObject:
    name, frame = (node.findtext('name') or '').strip(), node.find('bndbox')
    if not name or frame is None:
        lacking = f'({name}) has no <bndbox>' if name else 'has no <name>'
        raise UserError(f'{where} {lacking}')
    x1, y1, x2, y2 = (read_number(frame.findtext(c), f'{where} ({name}): {c}') for c in CORNERS)
    difficult, truncated = (
        bool(_number_or_unknown(node.findtext(flag), f'{where}: {flag}')) for flag in FLAGS
    )
    item = VOCObject(name=name, box=(x1, y1, x2, y2), difficult=difficult, truncated=truncated)
    actions = node.find('actions')
    if actions is not None:
        item['actions'] = {a.tag: bool(read_number(a.text, f'{where}: {a.tag}')) for a in actions}
    return item


def _number_or_unknown(text: str | None, what: str) -> float:
    """A number, or 1 and 0 for yes and no; 0 where the file says that it is unknown."""
    word = (text or '').strip().lower()
    if word in UNKNOWN:
        return 0.0
    return WORDS[word] if word in WORDS else read_number(text, what)
