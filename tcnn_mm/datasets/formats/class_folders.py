"""One folder per class, perhaps below folders for training, validation and test."""

import os.path as osp
import re
from dataclasses import dataclass, field

from tcnn_mm.datasets.formats.account import Account, named
from tcnn_mm.datasets.formats.annotated_images import AnnotatedImage, AnnotatedImages, Reading
from tcnn_mm.datasets.formats.folder_scan import MASK_FOLDERS, FolderScan, is_image
from tcnn_mm.datasets.formats.image_index import ImageIndex
from tcnn_mm.datasets.formats.parts import part_of_name
from tcnn_mm.errors import UserError

# Names that layouts of other formats give their folders: never classes.
LAYOUT_FOLDERS = MASK_FOLDERS | {
    'images', 'image', 'imgs', 'img', 'jpegimages', 'pictures', 'photos', 'data', 'annotations',
    'annotation', 'labels', 'label', 'xml', 'json', 'imagesets', 'bboxes', 'depth', 'thumbnails',
    'overlays', 'score_maps',
}  # fmt: skip
# Images by their suffix of types that are not read.
UNREAD_SUFFIXES = ('.heic', '.heif', '.avif', '.jp2', '.jxl', '.svg', '.psd', '.raw', '.dng',
                   '.cr2', '.nef', '.arw', '.ico', '.tga', '.exr', '.hdr')  # fmt: skip


# Folders of images that nobody has sorted yet.
UNSORTED_FOLDERS = {'unlabeled', 'unlabelled', 'unannotated', 'unsorted', 'unclassified'}
# A day or a month: folders of cameras.
DATE = re.compile(r'(19|20)\d\d[-_. ]?[01]\d([-_. ]?[0-3]\d)?')


@dataclass
class Node:
    """A folder with images in or below it.

    Attributes:
        path (str): Below the root of the data.
        files (list[str]): Images in the folder itself, and files that are images of other types.
        folders (dict[str, Node]): Its folders that have any.
    """

    path: str
    files: list[str] = field(default_factory=list)
    folders: dict[str, 'Node'] = field(default_factory=dict)

    def below(self) -> list[str]:
        """All images in and below the folder."""
        return [*self.files, *(f for node in self.folders.values() for f in node.below())]


@dataclass
class ClassFolder:
    """A folder whose images have the label of its name.

    Attributes:
        written (str): Its name, with blanks around.
        part (str): 'train', 'val', 'test' or 'all'.
        node (Node): The folder.
    """

    written: str
    part: str
    node: Node

    @property
    def name(self) -> str:
        """The class."""
        return self.written.strip()


class _Unclear(Exception):
    """The folders can be read in several ways; the message says which."""


def find_class_folders(scan: FolderScan, index: ImageIndex) -> Reading | None:
    """A reading of the folders as classes; None where there are no two of them.

    Where the folders can be read in several ways, the reading raises UserError with the ways.
    """
    if scan.only is not None:
        return None
    base = _single(_tree(scan))
    unsorted = [base.folders.pop(n) for n in [*base.folders] if n.lower() in UNSORTED_FOLDERS]
    base = _single(base)
    if any(map(part_of_name, base.folders)):  # masks beside train/ and test/ are accounted for
        base.folders = {n: f for n, f in base.folders.items() if n.lower() not in MASK_FOLDERS}
    if len(base.folders) < 2 or any(_is_layout(name) for name in base.folders):
        return None
    data_sets = {name for name, node in base.folders.items() if _is_data_set(scan, node)}
    if any(part_of_name(name) is None for name in data_sets):
        return None
    try:
        folders = _class_folders(base, data_sets)
    except _Unclear as error:
        message = f'{scan.root}: {error}'

        def refuse(account: Account) -> AnnotatedImages:
            raise UserError(message)

        return Reading('folders', f'{len(base.folders)} folders with images', refuse)
    names = sorted({folder.name for folder in folders})
    if len(names) < 2:
        return None
    parts = list(dict.fromkeys(folder.part for folder in folders))
    said = '' if parts == ['all'] else f', in the parts {", ".join(parts)}'
    evidence = f'one folder per class ({len(names)} classes: {named(names)}){said}'

    def read(account: Account) -> AnnotatedImages:
        for node in unsorted:
            for file in node.below():
                account.leave_unused(f'image in the folder {osp.basename(node.path)}', file)
        _note_other_folders(scan, base, account)
        return _read(folders, account, index)

    return Reading('folders', evidence, read)


def _tree(scan: FolderScan) -> Node:
    """The folders of a scan that have images, masks apart."""
    root = Node('')
    for file in scan.files:
        if not is_image(file) and not file.lower().endswith(UNREAD_SUFFIXES):
            continue
        node = root
        for name in file.split('/')[:-1]:
            node = node.folders.setdefault(name, Node(f'{node.path}/{name}'.lstrip('/')))
        node.files.append(file)
    return root


def _single(node: Node) -> Node:
    """The innermost folder that all images are in: archives unpack to a folder in a folder."""
    while len(node.folders) == 1 and not node.files:
        node = next(iter(node.folders.values()))
    return node


def _is_layout(name: str) -> bool:
    return name.lower() in LAYOUT_FOLDERS


def _is_data_set(scan: FolderScan, node: Node) -> bool:
    """Whether a folder has its images in a folder of a layout, and annotations beside that."""
    if node.files or not any(map(_is_layout, node.folders)):
        return False
    files = (f for f in scan.files if f.startswith(f'{node.path}/'))
    return any(f.lower().endswith(('.xml', '.json', '.csv', '.txt')) for f in files)


def _class_folders(base: Node, data_sets: set[str]) -> list[ClassFolder]:
    """The folders of all classes and their parts.

    Args:
        base: The folder above.
        data_sets: Names of its folders that have annotations of another format.

    Raises:
        _Unclear: Several ways to read them.
    """
    part_of = {name: part_of_name(name) for name in base.folders}
    if any(part_of.values()):
        return _below_parts(base, part_of, data_sets)
    inner = {name: list(node.folders) for name, node in base.folders.items()}
    if all(inner.values()) and all(part_of_name(n) for names in inner.values() for n in names):
        return [
            ClassFolder(name, str(part_of_name(part)), below)
            for name, node in base.folders.items()
            for part, below in node.folders.items()
        ]
    if all(map(DATE.fullmatch, base.folders)):
        return _below_dates(base)
    return _flat(base, 'all')


def _below_dates(base: Node) -> list[ClassFolder]:
    """Class folders below folders of days or months; nothing where images lie in these."""
    if any(node.files for node in base.folders.values()):
        return []
    return [folder for node in base.folders.values() for folder in _flat(node, 'all')]


def _below_parts(
    base: Node, part_of: dict[str, str | None], data_sets: set[str]
) -> list[ClassFolder]:
    """Class folders below train, val and test; a part may have one class alone."""
    given = {n: base.folders[n] for n, part in part_of.items() if part and n not in data_sets}
    parts = {name: _single(node) for name, node in given.items()}
    others = [name for name, part in part_of.items() if not part]
    whole = {
        name: node
        for name, node in parts.items()
        if len(node.folders) > 1 and not any(map(_is_layout, node.folders))
    }
    if others and len(set(filter(None, part_of.values()))) < 2:
        raise _Unclear(
            f'the folder {named(parts)} can be a part of the data or a class beside '
            f'{named(others)}; give that folder alone, or rename it'
        )
    if not whole:
        return []
    inner = [name for node in whole.values() for name in node.folders if part_of_name(name)]
    if inner:
        raise _Unclear(
            f'the folder {inner[0]} in one of {named(parts)} can be a part or a class; give a CSV '
            'of file,label, or rename it'
        )
    below = {name: _flat(node, str(part_of[name])) for name, node in whole.items()}
    classes = {name: {f.name.casefold() for f in folders} for name, folders in below.items()}
    for name in whole:
        elsewhere = {n for other, found in classes.items() if other != name for n in found}
        if len(whole) > 1 and not classes[name] & elsewhere:
            raise _Unclear(
                f'the folders {named(whole)} have no class in common ({name} has '
                f'{named((f.name for f in below[name]), 3)}): parts of one data set, or classes '
                'themselves? give a CSV of file,label, or one folder per class'
            )
    known = {name for found in classes.values() for name in found}
    for name in [name for name in given if name not in whole]:
        below[name] = _one_class(given[name], str(part_of[name]), known)
    return [folder for folders in below.values() for folder in folders]


def _one_class(node: Node, part: str, known: set[str]) -> list[ClassFolder]:
    """The only class folder of a part, if other parts have its class; else nothing."""
    while len(node.folders) == 1 and not node.files:
        ((name, node),) = node.folders.items()
        if name.strip().casefold() in known:
            return [ClassFolder(name, part, node)]
    return []


def _flat(base: Node, part: str) -> list[ClassFolder]:
    """Every folder of `base` as a class."""
    # Tiny ImageNet's form: each class has its images in a folder `images`.
    folders = {
        name: _single(node) if all(map(_is_layout, node.folders)) else node
        for name, node in base.folders.items()
    }
    nested = [
        name
        for name, node in folders.items()
        if not node.files and not all(map(DATE.fullmatch, node.folders))
    ]
    if nested:
        example = base.folders[nested[0]]
        raise _Unclear(
            f'classes can be the {len(base.folders)} folders {named(base.folders, 3)} or those '
            f'below them ({example.path}/{next(iter(example.folders))} …); give the folder that '
            'holds one folder per class, or a CSV of file,label'
        )
    return [ClassFolder(name, part, folders[name]) for name in sorted(folders)]


def _read(folders: list[ClassFolder], account: Account, index: ImageIndex) -> AnnotatedImages:
    """The images of all class folders; those of deeper folders belong to the class above."""
    images: list[AnnotatedImage] = []
    for folder in folders:
        if folder.name != folder.written:
            account.repair('blanks around the name of a class', f'{folder.node.path}/')
        if folder.node.folders:
            account.note(
                f'{folder.node.path}: images of its folders {named(folder.node.folders)} belong '
                f'to the class {folder.name}'
            )
        for file in folder.node.below():
            if file in index.images:
                images.append(
                    AnnotatedImage(file, folder.part, folder.node.path, labels=[folder.name])
                )
            else:
                account.lose_image(
                    f'images of type {osp.splitext(file)[1].lower()} are not read', file
                )
    _note_parts(folders, account)
    classes = sorted({folder.name for folder in folders})
    return AnnotatedImages(images, classes, boxes=False)


def _note_other_folders(scan: FolderScan, base: Node, account: Account) -> None:
    """Say which folders beside those of classes have files, but no image: perhaps a class."""
    start = f'{base.path}/' if base.path else ''
    below = [f[len(start) :] for f in scan.files if f.startswith(start)]
    others: dict[str, bool] = {}
    for file in below:
        name, _, rest = file.partition('/')
        if rest and name not in base.folders:
            image = is_image(file) or file.lower().endswith(UNREAD_SUFFIXES)
            others[name] = others.get(name, False) or image
    without = [name for name, has_image in others.items() if not has_image]
    if without:
        account.note(f'folders without images are no classes: {named(without)}')


def _note_parts(folders: list[ClassFolder], account: Account) -> None:
    """Say which classes are in some parts only."""
    parts = {folder.part for folder in folders}
    for part in sorted(parts):
        mine = {folder.name for folder in folders if folder.part == part}
        absent = sorted({folder.name for folder in folders} - mine)
        if absent:
            account.note(f'{part} has no folder of {named(absent)}')
