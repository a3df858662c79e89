"""YOLO's text files: one per image, one line `class x y width height` in fractions per object.

Ultralytics' tree (`images/`, `labels/`, `data.yaml`), Roboflow's, CVAT's and darknet's
(`obj.names`, `train.txt`), Label Studio's (`classes.txt`) and labels beside the images are read.
"""

import math
import os.path as osp
import re
from collections.abc import Iterable

from tcnn_mm.datasets.formats.account import Account, named
from tcnn_mm.datasets.formats.annotated_images import (
    AnnotatedImage,
    AnnotatedImages,
    AnnotatedObject,
    Reading,
)
from tcnn_mm.datasets.formats.folder_scan import FolderScan
from tcnn_mm.datasets.formats.image_index import ImageIndex
from tcnn_mm.datasets.formats.parts import part_of_path
from tcnn_mm.datasets.formats.text_file import read_text
from tcnn_mm.datasets.formats.yolo_names import YoloSet, find_names, read_sets
from tcnn_mm.errors import UserError

# A line of a label file: a class number and at least four numbers.
LINE = re.compile(r'\d+(\s+[-+]?[\d.]+([eE][-+]?\d+)?){4,}\s*')
# Files that are looked into to find out whether they are labels.
LOOKED_AT = 20
# Fractions of tools may reach over the image; beyond this they are pixels.
LARGEST = 2.0
OTHER_TEXTS = re.compile(r'readme|license|licence|classes|names|notes|requirements', re.I)


def find_yolo(scan: FolderScan, index: ImageIndex) -> Reading | None:
    """A reading of the label files in YOLO's format; None without any."""
    if scan.only is not None and not scan.only.lower().endswith(('.yaml', '.yml')):
        return None
    files = _label_files(scan, index)
    if not any(_is_labels(scan.path(file)) for file in list(files)[:LOOKED_AT]):
        return None
    folders = named(sorted({osp.dirname(file) or 'the folder itself' for file in files}), 4)
    evidence = f'{len(files)} text files in YOLO format in {folders}'
    return Reading('yolo', evidence, lambda account: read_yolo(scan, index, files, account))


def read_yolo(
    scan: FolderScan, index: ImageIndex, files: dict[str, str], account: Account
) -> AnnotatedImages:
    """Read label files and their images.

    Args:
        files: Label file → image, or '' where there is none.

    Raises:
        UserError: No names of the classes, a class number without name, a line that is no box;
            with file and line.
    """
    names = find_names(scan)
    sets = read_sets(scan)
    label_of: dict[str, str] = {}
    for file, image in files.items():
        if not image:
            account.lose_image('no image for this label file', file)
            continue
        other = label_of.setdefault(image, file)
        if other != file:
            raise UserError(f'{scan.path(other)}: {scan.path(file)} is for the same image')
    folders = {osp.dirname(image) for image in label_of}
    images = []
    for image in sorted(i for i in index.images if osp.dirname(i) in folders):
        found = label_of.get(image)
        objects = [] if found is None else _objects(scan.path(found), found, names)
        part = _part(image, found, sets)
        where, annotated = found or image, found is not None
        images.append(AnnotatedImage(image, part, where, objects, annotated=annotated))
    return AnnotatedImages(images, names, boxes=True)


def _label_files(scan: FolderScan, index: ImageIndex) -> dict[str, str]:
    """Text files that can be labels → the image of each, '' where there is none.

    A text file is looked at where its name is that of an image, or where its folder is called
    labels.
    """
    found: dict[str, str] = {}
    for file in scan.files:
        base = osp.basename(file)
        if not file.lower().endswith('.txt') or OTHER_TEXTS.match(base):
            continue
        stem, folders = osp.splitext(file)[0], osp.dirname(file).split('/')
        at = next((n for n, name in enumerate(folders) if name.lower() == 'labels'), None)
        if at is None:
            match = index.find(osp.basename(stem), near=osp.dirname(file), stem=True)
            same = match.file and osp.dirname(match.file) == osp.dirname(file)
            if same and match.file:
                found[file] = match.file
            continue
        # Ultralytics' rule: images/a/1.jpg has labels/a/1.txt.
        below = '/'.join([*folders[at + 1 :], osp.basename(stem)])
        root = '/'.join(folders[:at])
        beside = index.find(f'images/{below}', near=root, stem=True)
        found[file] = beside.file or ''
    return found


def _is_labels(path: str) -> bool:
    """Whether the first lines of a file are objects of YOLO."""
    with open(path, encoding='utf-8', errors='replace') as file:
        lines = [line for line in file.read(4096).splitlines()[:5] if line.strip()]
    return bool(lines) and all(LINE.fullmatch(line.strip()) for line in lines[:-1] or lines)


def _objects(path: str, place: str, names: list[str]) -> list[AnnotatedObject]:
    """The objects of one label file.

    Raises:
        UserError: A line that is no object; a class number without name.
    """
    objects = []
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if not line.strip():
            continue
        where = f'{path}, line {number}'
        if not LINE.fullmatch(line.strip()):
            raise UserError(
                f'{where}: {line.strip()[:60]!r}; expected "class x y width height" in fractions'
            )
        first, *rest = line.split()
        values = [float(value) for value in rest]
        if max(map(abs, values)) > LARGEST or not all(map(math.isfinite, values)):
            raise UserError(
                f'{where}: {line.strip()[:60]!r} is not in fractions of width and height'
            )
        if int(first) >= len(names):
            raise UserError(
                f'{where}: class {first}, but {len(names)} names of classes ({named(names, 3)})'
            )
        name = names[int(first)]
        objects.append(
            AnnotatedObject(name, _box(values, where), f'{place}, line {number}', relative=True)
        )
    return objects


def _box(values: list[float], where: str) -> tuple[float, float, float, float]:
    """The box of centre and size, or of the corners of a polygon; in fractions."""
    if len(values) == 4:
        x, y, width, height = values
        return x - width / 2, y - height / 2, x + width / 2, y + height / 2
    if len(values) < 6 or len(values) % 2:
        raise UserError(
            f'{where}: {len(values)} numbers after the class; a box has 4, a polygon an even '
            'number from 6 on; a fifth one is the confidence of a prediction: no label'
        )
    x_values, y_values = values[0::2], values[1::2]
    return min(x_values), min(y_values), max(x_values), max(y_values)


def _part(image: str, label: str | None, sets: Iterable[YoloSet]) -> str:
    """The part by data.yaml or lists of images, else by the names of folders."""
    for one in sets:
        if image in one.images or any(image.startswith(f'{f}/') for f in one.folders):
            return one.part
    folders = [osp.dirname(image), osp.dirname(label or '')]
    return next(filter(None, map(part_of_path, folders)), 'all')
