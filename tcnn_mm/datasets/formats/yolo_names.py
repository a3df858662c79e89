"""Names of YOLO's classes by their numbers: of `data.yaml`, else of a text file."""

import os.path as osp

from tcnn_mm.datasets.formats.account import Account, named
from tcnn_mm.datasets.formats.folder_scan import FolderScan
from tcnn_mm.datasets.formats.text_file import read_text
from tcnn_mm.datasets.formats.yolo_yaml import YamlFiles
from tcnn_mm.errors import UserError

NAME_FILES = {
    'classes.txt', 'class.txt', 'class_names.txt', 'classnames.txt', 'names.txt', 'labels.txt',
    '_darknet.labels', 'predefined_classes.txt',
}  # fmt: skip
# labelImg's list to begin with: it counts where there is no other.
DRAFT = 'predefined_classes.txt'


def is_name_file(file: str) -> bool:
    """Whether a file holds names of classes, by its own name."""
    base = osp.basename(file).lower()
    return base in NAME_FILES or base.endswith('.names')


def find_names(scan: FolderScan, yamls: YamlFiles, account: Account) -> dict[int, str]:
    """Names of the classes by number.

    Raises:
        UserError: None, or several that differ.
    """
    found = {one.file: one.names for one in yamls.found if one.names}
    texts = [file for file in scan.files if is_name_file(file)]
    drafts = [file for file in texts if osp.basename(file).lower() == DRAFT]
    if not found:
        chosen = [file for file in texts if file not in drafts] or drafts
        found = {file: read_names(scan.path(file)) for file in chosen}
    found = {file: names for file, names in found.items() if names}
    if not found:
        broken = f' ({yamls.faults[0]})' if yamls.faults else ''
        raise UserError(
            f'{scan.root}: labels in YOLO format without names of the classes{broken}; write them '
            'into classes.txt, one per line in the order of their numbers from 0'
        )
    first = next(iter(found))
    names = found[first]
    other = next((file for file, mine in found.items() if mine != names), None)
    if other is not None:
        raise UserError(
            f'{scan.path(first)}: other classes ({named(names.values(), 3)}) than {other} '
            f'({named(found[other].values(), 3)}); give one data.yaml, or the folders of the two '
            'one after the other, as two roots'
        )
    for one in yamls.found:
        if one.count.isdecimal() and one.names and int(one.count) != len(one.names):
            account.note(f'{one.file}: nc is {one.count}, but there are {len(one.names)} names')
    for file in texts if first not in texts else []:
        if file not in drafts and read_names(scan.path(file)) not in (names, {}):
            account.note(f'{file} has other names of classes than {first}, which counts')
    _note_same(names, first, account)
    return names


def read_names(path: str) -> dict[int, str]:
    """Read a text file of names, one per line in the order of their numbers.

    Raises:
        UserError: An empty line between names: the numbers after it are uncertain.
    """
    lines = [' '.join(line.split()) for line in read_text(path).rstrip().splitlines()]
    if '' in lines:
        raise UserError(
            f'{path}, line {lines.index("") + 1}: empty line between names of classes; the line '
            'of a name is its number, so remove the empty line or write the missing name'
        )
    return dict(enumerate(lines))


def _note_same(names: dict[int, str], file: str, account: Account) -> None:
    """Say which numbers have the same name."""
    numbers: dict[str, list[str]] = {}
    for number, name in names.items():
        numbers.setdefault(name, []).append(str(number))
    for name, mine in numbers.items():
        if len(mine) > 1:
            account.note(f'{file}: classes {named(mine)} are all {name!r}: one class')
