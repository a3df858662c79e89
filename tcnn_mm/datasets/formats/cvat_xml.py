"""CVAT's own XML: `annotations.xml` of "CVAT for images"."""

import os.path as osp
import re
import xml.etree.ElementTree as ET

from tcnn_mm.datasets.formats.account import Account, named
from tcnn_mm.datasets.formats.annotated_images import (
    AnnotatedImage,
    AnnotatedImages,
    AnnotatedObject,
    Reading,
    drop_labels_beside_boxes,
)
from tcnn_mm.datasets.formats.cvat_shapes import SHAPES, shape_box
from tcnn_mm.datasets.formats.folder_scan import FolderScan
from tcnn_mm.datasets.formats.image_index import ImageIndex
from tcnn_mm.datasets.formats.parts import part_of_name, part_of_path
from tcnn_mm.datasets.formats.xml_head import first_element, parse_xml, xml_head
from tcnn_mm.errors import UserError

# What distinguishes the file from those of other tools whose root has the same name.
INSIDE = re.compile(rb'<(meta|image|track|version)\b')


def find_cvat(scan: FolderScan, index: ImageIndex) -> Reading | None:
    """A reading of the XML files whose root is <annotations>; None without any."""
    files = [f for f in scan.with_suffix('.xml') if _is_cvat(scan.path(f))]
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
        UserError: No image, broken XML, a video, a shape without label, what
            :func:`shape_box` refuses.
    """
    if not index.images:
        raise UserError(
            f'{scan.path(files[0])}: no image in its folder: export with "Save images", or put '
            'them into images/ beside it'
        )
    images: list[AnnotatedImage] = []
    classes: list[str] = []
    for file in files:
        root = _root(scan.path(file))
        classes += [text for node in root.iter('label') if (text := node.findtext('name'))]
        for node in root.iterfind('image'):
            image = _image(scan, index, file, node, account)
            if image is not None:
                images.append(image)
    boxes = drop_labels_beside_boxes(images, account, 'tags')
    empty = sum(not image.objects and not image.labels for image in images)
    if empty:
        what = 'shape' if boxes else 'tag'
        account.note(f'{empty} of {len(images)} images have no {what}: used as images of no class')
    found = {n for i in images for n in (*i.labels, *(o.name for o in i.objects))}
    ordered = [name for name in dict.fromkeys(classes) if name in found]
    return AnnotatedImages(images, ordered + sorted(found - {*ordered}), boxes)


def _is_cvat(path: str) -> bool:
    return first_element(path) == 'annotations' and INSIDE.search(xml_head(path)) is not None


def _root(path: str) -> ET.Element:
    try:
        with open(path, 'rb') as file:
            root = parse_xml(file.read())
    except (ET.ParseError, ValueError, LookupError) as error:  # the last two: its encoding
        raise UserError(f'{path}: broken XML ({error}); export it again') from error
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
        account.lose_image(match.how.partition(':')[0], where)
        return None
    if match.how:
        account.repair(f'name found {match.how}', where)
    objects, labels = [], []
    for at, shape in enumerate(node, 1):
        place = f'{where}: {shape.tag} {at}'
        label = (shape.get('label') or '').strip()
        full = scan.path(file) + place.removeprefix(file)
        if shape.tag not in SHAPES and shape.tag != 'tag':
            account.note(f'{file}: <{shape.tag}> of images is not read')
            continue
        if not label:
            raise UserError(f'{full} has no label')
        if shape.tag == 'tag':
            labels.append(label)
        else:
            box = shape_box(shape, full)
            occluded = shape.get('occluded') == '1'
            objects.append(AnnotatedObject(label, box, place, truncated=occluded))
    size = tuple(_whole(node.get(key)) for key in ('height', 'width'))
    part = part_of_name(node.get('subset') or '') or part_of_path(osp.dirname(match.file)) or 'all'
    return AnnotatedImage(
        match.file,
        part,
        where,
        objects,
        list(dict.fromkeys(labels)),
        (size[0], size[1]) if all(size) else None,
    )


def _whole(text: str | None) -> int:
    return int(text) if text and text.isdecimal() else 0
