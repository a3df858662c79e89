"""One folder per class, perhaps below folders for training, validation and test."""

import os.path as osp
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
    """A folder whose images have the label of its name."""

    name: str
    part: str
    node: Node


class _Unclear(Exception):
    """The folders can be read in several ways; the message says which."""


def find_class_folders(scan: FolderScan, index: ImageIndex) -> Reading | None:
    """A reading of the folders as classes; None where there are no two of them.

    Where the folders can be read in several ways, the reading raises UserError with the ways.
    """
    if scan.only is not None:
        return None
    base = _single(_tree(scan))
    if len(base.folders) < 2 or any(_is_layout(name) for name in base.folders):
        return None
    if any(_is_data_set(scan, node) for node in base.folders.values()):
        return None
    try:
        folders = _class_folders(base)
    except _Unclear as error:
        message = f'{scan.root}: {error}'
        evidence = f'{len(base.folders)} folders with images'

        def refuse(account: Account) -> AnnotatedImages:
            raise UserError(message)

        return Reading('folders', evidence, refuse)
    names = sorted({folder.name for folder in folders})
    if len(names) < 2:
        return None
    parts = list(dict.fromkeys(folder.part for folder in folders))
    said = '' if parts == ['all'] else f', in the parts {", ".join(parts)}'
    evidence = f'one folder per class ({len(names)} classes: {named(names)}){said}'
    return Reading('folders', evidence, lambda account: _read(base, folders, account, index))


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


def _class_folders(base: Node) -> list[ClassFolder]:
    """The folders of all classes and their parts.

    Raises:
        _Unclear: Several ways to read them.
    """
    part_of = {name: part_of_name(name) for name in base.folders}
    if any(part_of.values()):
        return _below_parts(base, part_of)
    inner = {name: list(node.folders) for name, node in base.folders.items()}
    if all(inner.values()) and all(part_of_name(n) for names in inner.values() for n in names):
        return [
            ClassFolder(name, str(part_of_name(part)), below)
            for name, node in base.folders.items()
            for part, below in node.folders.items()
        ]
    return _flat(base, 'all')


def _below_parts(base: Node, part_of: dict[str, str | None]) -> list[ClassFolder]:
    """Class folders below train, val and test."""
    parts = {n: _single(base.folders[n]) for n, part in part_of.items() if part}
    others = [name for name, part in part_of.items() if not part]
    whole = {name: node for name, node in parts.items() if len(node.folders) > 1}
    if others and len(set(filter(None, part_of.values()))) < 2:
        raise _Unclear(
            f'the folder {named(parts)} can be a part of the data or a class beside '
            f'{named(others)}; give that folder alone, or rename it'
        )
    if not whole:
        return []
    below = {name: _flat(node, str(part_of[name])) for name, node in whole.items()}
    classes = [{folder.name for folder in folders} for folders in below.values()]
    common = set.intersection(*classes)
    if not common:
        raise _Unclear(
            f'the folders {named(whole)} have no class in common: parts of one data set, or '
            'classes themselves? give a CSV of file,label, or one folder per class'
        )
    return [folder for folders in below.values() for folder in folders]


def _flat(base: Node, part: str) -> list[ClassFolder]:
    """Every folder of `base` as a class."""
    # Tiny ImageNet's form: each class has its images in a folder `images`.
    folders = {
        name: _single(node) if all(map(_is_layout, node.folders)) else node
        for name, node in base.folders.items()
    }
    nested = [name for name, node in folders.items() if not node.files]
    if nested:
        example = base.folders[nested[0]]
        raise _Unclear(
            f'classes can be the {len(base.folders)} folders {named(base.folders, 3)} or those '
            f'below them ({example.path}/{next(iter(example.folders))} …); give the folder that '
            'holds one folder per class, or a CSV of file,label'
        )
    return [ClassFolder(name, part, folders[name]) for name in sorted(folders)]


def _read(
    base: Node, folders: list[ClassFolder], account: Account, index: ImageIndex
) -> AnnotatedImages:
    """The images of all class folders; those of deeper folders belong to the class above."""
    images: list[AnnotatedImage] = []
    for folder in folders:
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


def _note_parts(folders: list[ClassFolder], account: Account) -> None:
    """Say which classes are in some parts only."""
    parts = {folder.part for folder in folders}
    for part in sorted(parts):
        mine = {folder.name for folder in folders if folder.part == part}
        absent = sorted({folder.name for folder in folders} - mine)
        if absent:
            account.note(f'{part} has no folder of {named(absent)}')
