"""CVAT's own XML: `annotations.xml` of "CVAT for images"."""

import os.path as osp
import xml.etree.ElementTree as ET

from tcnn_mm.datasets.formats.account import Account, named
from tcnn_mm.datasets.formats.annotated_images import (
    AnnotatedImage,
    AnnotatedImages,
    AnnotatedObject,
    Box,
    Reading,
)
from tcnn_mm.datasets.formats.folder_scan import FolderScan
from tcnn_mm.datasets.formats.image_index import ImageIndex
from tcnn_mm.datasets.formats.parts import part_of_name, part_of_path
from tcnn_mm.datasets.formats.xml_head import first_element
from tcnn_mm.errors import UserError

CORNERS = ('xtl', 'ytl', 'xbr', 'ybr')
WITH_POINTS = ('polygon', 'polyline', 'points')
OTHER_SHAPES = ('mask', 'ellipse', 'cuboid', 'skeleton')


def find_cvat(scan: FolderScan, index: ImageIndex) -> Reading | None:
    """A reading of the XML files whose root is <annotations>; None without any."""
    files = [f for f in scan.with_suffix('.xml') if first_element(scan.path(f)) == 'annotations']
    if not files:
        return None
    evidence = f'{named(files, 3)} in the format of CVAT for images'
    return Reading('cvat', evidence, lambda account: read_cvat(scan, index, files, account))


def read_cvat(
    scan: FolderScan, index: ImageIndex, files: list[str], account: Account
) -> AnnotatedImages:
    """Read annotation files and their images.

    Shapes become objects with the box around them; where no file has shapes, the tags of images
    are image labels. An occluded object is truncated.

    Raises:
        UserError: Broken XML, a video, a value that is no number, a rotated box.
    """
    images: list[AnnotatedImage] = []
    classes: list[str] = []
    for file in files:
        root = _root(scan.path(file))
        classes += [text for node in root.iter('label') if (text := node.findtext('name'))]
        for node in root.iterfind('image'):
            image = _image(scan, index, file, node, account)
            if image is not None:
                images.append(image)
    boxes = any(image.objects for image in images)
    if boxes:
        tagged = [image for image in images if image.labels]
        if tagged:
            account.note(f'{len(tagged)} images have tags beside boxes: the tags are not used')
        for image in tagged:
            image.labels = []
    found = {n for i in images for n in (*i.labels, *(o.name for o in i.objects))}
    ordered = [name for name in dict.fromkeys(classes) if name in found]
    return AnnotatedImages(images, ordered + sorted(found - {*ordered}), boxes)


def _root(path: str) -> ET.Element:
    try:
        root = ET.parse(path).getroot()
    except (ET.ParseError, ValueError, LookupError) as error:
        raise UserError(f'{path}: broken XML ({error})') from error
    if root.find('track') is not None:
        raise UserError(
            f'{path}: tracks of a video; export the frames in the format "CVAT for images 1.1"'
        )
    return root


def _image(
    scan: FolderScan, index: ImageIndex, file: str, node: ET.Element, account: Account
) -> AnnotatedImage | None:
    """One <image>; None where its file is missing."""
    name = node.get('name') or ''
    where = f'{file}: image {node.get("id", "?")} ({name})'
    match = index.find(name, near=osp.dirname(file))
    if match.file is None:
        account.lose_image(match.how, where)
        return None
    if match.how:
        account.repair(f'name found {match.how}', where)
    objects, labels = [], []
    for at, shape in enumerate(node, 1):
        place = f'{where}: {shape.tag} {at}'
        label = (shape.get('label') or '').strip()
        if shape.tag == 'tag':
            labels.append(label)
        elif shape.tag in OTHER_SHAPES:
            account.lose_object(f'a {shape.tag} has no box', place)
        elif shape.tag == 'box' or shape.tag in WITH_POINTS:
            if not label:
                raise UserError(f'{scan.path(file)}: {place} has no label')
            box = _box(shape, f'{scan.path(file)}: {place}')
            occluded = shape.get('occluded') == '1'
            objects.append(AnnotatedObject(label, box, place, truncated=occluded))
    size = tuple(_whole(node.get(key)) for key in ('height', 'width'))
    part = part_of_name(node.get('subset') or '') or part_of_path(osp.dirname(match.file)) or 'all'
    return AnnotatedImage(
        match.file, part, where, objects, labels, (size[0], size[1]) if all(size) else None
    )


def _box(shape: ET.Element, where: str) -> Box:
    """The box of a shape: its own corners, or those around its points."""
    if _number(shape.get('rotation') or '0', where) % 360:
        raise UserError(
            f'{where} is rotated by {shape.get("rotation")} degrees; only upright boxes'
        )
    if shape.tag == 'box':
        x1, y1, x2, y2 = (_number(shape.get(key), f'{where}, {key}') for key in CORNERS)
        return x1, y1, x2, y2
    pairs = [pair.split(',') for pair in (shape.get('points') or '').split(';') if pair]
    x_values = [_number(pair[0], where) for pair in pairs]
    y_values = [_number(pair[-1], where) for pair in pairs]
    if not pairs:
        raise UserError(f'{where} has no points')
    return min(x_values), min(y_values), max(x_values), max(y_values)


def _number(text: str | None, where: str) -> float:
    try:
        return float(text or '')
    except ValueError as error:
        raise UserError(f'{where} is {text!r}, expected a number') from error


def _whole(text: str | None) -> int:
    return int(text) if text and text.isdecimal() else 0
