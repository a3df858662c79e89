"""What stands beside YOLO's label files: names of classes, and which images are in which part."""

import os.path as osp
from dataclasses import dataclass, field
from typing import Any

import yaml

from tcnn_mm.datasets.formats.folder_scan import FolderScan, is_image
from tcnn_mm.datasets.formats.image_index import clean_name
from tcnn_mm.datasets.formats.parts import ROLES
from tcnn_mm.datasets.formats.text_file import read_text
from tcnn_mm.errors import UserError

NAME_FILES = ('classes.txt', 'obj.names', '_darknet.labels', 'predefined_classes.txt')


@dataclass
class YoloSet:
    """Images of one part.

    Attributes:
        part (str): 'train', 'val' or 'test'.
        folders (list[str]): Below the root of the data.
        images (set[str]): Below the root of the data.
    """

    part: str
    folders: list[str] = field(default_factory=list)
    images: set[str] = field(default_factory=set)


def find_names(scan: FolderScan) -> list[str]:
    """Names of the classes by number: of data.yaml, else of a text file with one per line.

    Raises:
        UserError: Neither, several that differ, or names in another form.
    """
    found: dict[str, list[str]] = {}
    for file, content in _yaml_files(scan).items():
        if 'names' in content:
            found[file] = _names(content['names'], scan.path(file))
    for file in scan.files if not found else []:
        base = osp.basename(file).lower()
        if base in NAME_FILES or base.endswith('.names'):
            lines = [line.strip() for line in read_text(scan.path(file)).splitlines()]
            found[file] = [line for line in lines if line]
    if not found:
        raise UserError(
            f'{scan.root}: labels in YOLO format without names of the classes; write them into '
            'classes.txt, one per line in the order of their numbers, or give data.yaml'
        )
    first = next(iter(found))
    other = next((file for file, names in found.items() if names != found[first]), None)
    if other is not None:
        raise UserError(f'{scan.path(first)}: other names of classes than {scan.path(other)}')
    return found[first]


def read_sets(scan: FolderScan) -> list[YoloSet]:
    """Parts by the entries train, val, test of data.yaml, or by train.txt … of image paths."""
    sets = []
    for file, content in _yaml_files(scan).items():
        for key, value in content.items():
            part = ROLES.get(str(key).lower())
            if part is None or 'names' not in content:
                continue
            entries = value if isinstance(value, list) else [value]
            one = YoloSet(part)
            for entry in filter(lambda e: isinstance(e, str), entries):
                one.folders += _folders(scan, osp.dirname(file), entry)
            sets.append(one)
    known = {image: image for image in scan.images}
    for file in scan.files:
        part = ROLES.get(osp.splitext(osp.basename(file))[0].lower())
        if part is None or not file.lower().endswith('.txt'):
            continue
        names = [clean_name(line) for line in read_text(scan.path(file)).splitlines() if line]
        listed = {_listed(name, known) for name in names if is_image(name)} - {None}
        if listed:
            sets.append(YoloSet(part, images={name for name in listed if name}))
    return sets


def _listed(name: str, known: dict[str, str]) -> str | None:
    """The image whose path is the end of a listed one, which may begin with another root."""
    parts = name.split('/')
    return next((known[t] for n in range(len(parts)) if (t := '/'.join(parts[n:])) in known), None)


def _yaml_files(scan: FolderScan) -> dict[str, dict[str, Any]]:
    """YAML files that hold a mapping; others are no data.yaml."""
    found = {}
    for file in scan.with_suffix('.yaml', '.yml'):
        try:
            content = yaml.safe_load(read_text(scan.path(file)))
        except yaml.YAMLError as error:
            if scan.only is None:
                continue  # another tool's
            text = ' '.join(str(error).split())[:200]
            raise UserError(f'{scan.path(file)}: not YAML ({text})') from error
        if isinstance(content, dict):
            found[file] = content
    return found


def _names(names: Any, path: str) -> list[str]:
    """`names` of data.yaml: a list, or {number: name}."""
    if isinstance(names, dict) and set(names) == set(range(len(names))):
        names = [names[number] for number in range(len(names))]
    if not isinstance(names, list) or not names:
        raise UserError(f'{path}: names is {str(names)[:60]!r}, expected a list of class names')
    return [str(name) for name in names]


def _folders(scan: FolderScan, below: str, entry: str) -> list[str]:
    """Folders of images that an entry of data.yaml means, below the root of the data."""
    entry = clean_name(entry)
    while entry.startswith('../'):
        entry = entry[3:]
    folders = {osp.dirname(image) for image in scan.images}
    for place in (osp.normpath(osp.join(below, entry)), entry):
        found = [f for f in folders if f == place or f.startswith(f'{place}/')]
        if found:
            return found
    # Of an absolute path of another machine, the end.
    return [f for f in folders if f and entry.endswith(f'/{f}')]
