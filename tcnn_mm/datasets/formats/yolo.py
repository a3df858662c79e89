"""YOLO's text files: one per image, one line `class x y width height` in fractions per object.

Ultralytics' tree (`images/`, `labels/`, `data.yaml`), Roboflow's, CVAT's and darknet's
(`obj.names`, `train.txt`), Label Studio's (`classes.txt`) and labels beside the images are read.
"""

import os.path as osp

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
from tcnn_mm.datasets.formats.yolo_files import LabelFiles, find_label_files
from tcnn_mm.datasets.formats.yolo_lines import parse_line
from tcnn_mm.datasets.formats.yolo_names import find_names
from tcnn_mm.datasets.formats.yolo_parts import Sets, named_sets
from tcnn_mm.datasets.formats.yolo_yaml import read_yaml_files
from tcnn_mm.errors import UserError

# What may be given in place of the folder.
GIVEN = ('.yaml', '.yml', '.data', '.names')


def find_yolo(scan: FolderScan, index: ImageIndex) -> Reading | None:
    """A reading of the label files in YOLO's format; None without any.

    A data.yaml that is given is a reading too, whose `read` raises where its labels are not in
    its folder.
    """
    if scan.only is not None and not scan.only.lower().endswith(GIVEN):
        return None
    files = find_label_files(scan, index)
    labels = [*files.image_of, *files.lost]
    if not labels:
        return _without_labels(scan)
    folders = sorted({osp.dirname(file) for file in labels})
    places = named([f'{folder}/' if folder else 'the folder itself' for folder in folders], 4)
    evidence = f'{len(labels)} text files in YOLO format in {places}'
    return Reading('yolo', evidence, lambda account: read_yolo(scan, index, files, account))


def read_yolo(
    scan: FolderScan, index: ImageIndex, files: LabelFiles, account: Account
) -> AnnotatedImages:
    """Read label files and their images.

    Images without label file beside labelled ones are negatives. Where data.yaml or lists name
    the images for training, other images are used only where their folder says a part.

    Raises:
        UserError: No image, no names of the classes, a class number without name, a line that is
            no object, two label files for one image; with file and line.
    """
    if not index.images:
        raise UserError(
            f'{scan.root}: {len(files.lost)} label files in YOLO format, no image: export the '
            'images too, and put them into images/ beside labels/'
        )
    yamls = read_yaml_files(scan)
    names = find_names(scan, yamls, account)
    pose = any(one.pose for one in yamls.found)
    sets = named_sets(scan, index, yamls.found, _other_texts(scan, files), account)
    for file, how in files.lost.items():
        account.lose_image(how.partition(':')[0], file)
    for file in files.other:
        if part_of_path(osp.splitext(osp.basename(file))[0]) is None:  # no list of a part
            account.leave_unused('text file that is no label file', file)
    label_of = _label_of(scan, files)
    folders = {osp.dirname(image) for image in label_of}
    lost = {osp.splitext(osp.basename(file))[0] for file in files.lost}
    images, empty = [], 0
    for image in sorted(index.images):
        label = label_of.get(image)
        stem = osp.splitext(osp.basename(image))[0]
        if label is None and (osp.dirname(image) not in folders or stem in lost):
            continue
        parts = _parts(image, label, sets, scan.only is not None)
        if not parts:
            account.leave_unused('image of no part of data.yaml or of the lists', image)
            continue
        objects = _objects(scan.path(label), label, names, pose) if label else []
        empty += label is not None and not objects
        there, where = label is not None, label or image
        images += [AnnotatedImage(image, part, where, objects, annotated=there) for part in parts]
    if empty:
        account.note(f'{empty} label files are empty: none of the classes is on their images')
    ordered = dict.fromkeys(names[number] for number in sorted(names))
    return AnnotatedImages(images, list(ordered), boxes=True)


def _without_labels(scan: FolderScan) -> Reading | None:
    """The reading of a given data.yaml that has no labels below its folder."""
    found = read_yaml_files(scan).found if scan.only is not None else []
    if not found:
        return None
    entries = named([f'{part}: {entry}' for part, entry in found[0].entries]) or 'no part'
    message = (
        f'{scan.path(found[0].file)}: no label files in YOLO format in its folder; it names '
        f'{entries}; images outside of the folder are not followed: give the folder that has '
        'images and labels'
    )

    def refuse(account: Account) -> AnnotatedImages:
        raise UserError(message)

    return Reading('yolo', 'a data.yaml', refuse)


def _other_texts(scan: FolderScan, files: LabelFiles) -> list[str]:
    return [f for f in scan.files if f.lower().endswith('.txt') and f not in files.image_of]


def _label_of(scan: FolderScan, files: LabelFiles) -> dict[str, str]:
    """Image → its label file."""
    label_of: dict[str, str] = {}
    for file, image in files.image_of.items():
        other = label_of.setdefault(image, file)
        if other != file:
            raise UserError(
                f'{scan.path(other)}: {file} is for the same image {image}; remove one of the two'
            )
    return label_of


def _objects(path: str, file: str, names: dict[int, str], pose: bool) -> list[AnnotatedObject]:
    """The objects of one label file.

    Raises:
        UserError: A line that is no object; a class number without name.
    """
    objects = []
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if not line.strip():
            continue
        label, box = parse_line(line, f'{path}, line {number}', pose)
        if label not in names:
            raise UserError(
                f'{path}, line {number}: class {label} has no name; there are {len(names)}: '
                f'{named([f"{n} {name}" for n, name in sorted(names.items())], 3)}; add it to the '
                'names, numbers count from 0'
            )
        where = f'{file}, line {number}'
        objects.append(AnnotatedObject(names[label], box, where, relative=True))
    return objects


def _parts(image: str, label: str | None, sets: Sets, strict: bool) -> list[str]:
    """The parts that name an image, else the one that its folder says; empty: it is not used.

    Args:
        strict: Only images that a part names are used.
    """
    found = [part for part, images in sets.items() if image in images]
    if found or (sets and strict):
        return found
    folders = [osp.dirname(image), osp.dirname(label or '')]
    by_folder = next(filter(None, map(part_of_path, folders)), None)
    if by_folder is None and not {'train', 'trainval'} & set(sets):
        return ['all']
    return [by_folder] if by_folder else []
