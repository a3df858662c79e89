"""One listing of a data folder: its images and other files, without hidden and tool files."""

import os
import os.path as osp
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tcnn_mm.datasets.image_io import IMAGE_SUFFIXES
from tcnn_mm.errors import UserError

# Folders that archivers, file servers and version control leave behind; hidden ones are skipped
# by their dot (`.ipynb_checkpoints`, `.git`, and macOS' `._name` files).
TOOL_FOLDERS = {'__macosx', '@eadir', '$recycle.bin', 'system volume information', '__pycache__'}
TOOL_FILES = {'thumbs.db', 'desktop.ini'}
# Folders of annotations: the images are beside them.
ANNOTATION_FOLDERS = {
    'annotations', 'annotation', 'annots', 'anns', 'ann', 'labels', 'json', 'splits', 'meta',
    'metadata',
}  # fmt: skip
# Images in such folders say where the objects of other images are.
MASK_FOLDERS = {
    'segmentationclass', 'segmentationobject', 'segmentationclassaug', 'masks', 'mask',
    'ground_truth', 'groundtruth', 'gt',
}  # fmt: skip
# A folder with such a file was written by `tcnn fit`, `tcnn predict` or the toolbox's runner.
OUTPUT_FILES = (
    'splits/records.json',
    'predictions.json',
    'predictions.jsonl',
    'last_checkpoint',
)


@dataclass
class FolderScan:
    """The files below a folder, by one walk.

    Attributes:
        root (str): Absolute path.
        files (list[str]): Paths below it with '/', sorted; images are among them.
        skipped (list[str]): Tool and output folders that were not entered.
        only (str, optional): The file of annotations that was given, below `root`; other
            annotations are then not looked at.
    """

    root: str
    files: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    only: str | None = None

    @property
    def images(self) -> list[str]:
        """Paths of the images, by their suffix, without masks."""
        return [f for f in self.files if is_image(f) and not is_mask(f)]

    def with_suffix(self, *suffixes: str) -> list[str]:
        """Annotation files with one of these suffixes, in any case; `only` where it is given."""
        files = self.files if self.only is None else [self.only]
        return [f for f in files if f.lower().endswith(suffixes)]

    def path(self, file: str) -> str:
        """The absolute path of a file of this scan."""
        return osp.join(self.root, file)

    def suffixes(self) -> Counter[str]:
        """Number of files by suffix in lower case."""
        return Counter(osp.splitext(f)[1].lower() for f in self.files)


def is_image(path: str) -> bool:
    """Whether a file is an image by its suffix."""
    return path.lower().endswith(IMAGE_SUFFIXES)


def is_mask(path: str) -> bool:
    """Whether a file is in a folder of masks."""
    return any(name.lower() in MASK_FOLDERS for name in path.split('/')[:-1])


def scan_folder(path: str, skip: Sequence[str] = ()) -> FolderScan:
    """List a folder, or the folder of a file of annotations.

    Of a file in a folder that is called `annotations` or the like and has no images, the folder
    above is listed.

    Args:
        path: The folder or the file.
        skip: Folders that are not entered: the output folder of this run.

    Raises:
        UserError: Nothing there.
    """
    path = osp.abspath(osp.expanduser(path))
    if not osp.exists(path):
        raise UserError(f'no data: {path}; give a folder of images, or a file of annotations')
    only = None
    if osp.isfile(path):
        path, only = osp.split(path)
    skipped = {osp.realpath(folder) for folder in skip}
    scan = FolderScan(path, only=only)
    _walk(scan, '', skipped, {osp.realpath(path)})
    parent, folder = osp.split(path)
    if only is not None and not scan.images and folder.lower() in ANNOTATION_FOLDERS:
        scan = FolderScan(parent, only=f'{folder}/{only}')
        _walk(scan, '', skipped, {osp.realpath(parent)})
    scan.files.sort()
    return scan


def _walk(scan: FolderScan, folder: str, skip: set[str], above: set[str]) -> None:
    """Add the files below one folder; links to folders are followed, but not in circles."""
    with os.scandir(scan.path(folder)) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        name, path = entry.name.lower(), f'{folder}/{entry.name}'.lstrip('/')
        if name.startswith('.') or name in TOOL_FILES:
            continue
        # `entry.is_dir` raises at a link to itself.
        if not (osp.isdir(entry.path) if entry.is_symlink() else entry.is_dir()):
            scan.files.append(path)
            continue
        real = osp.realpath(entry.path)
        if real in above:
            continue
        if name in TOOL_FOLDERS or real in skip or _is_output(entry.path):
            scan.skipped.append(path)
        else:
            _walk(scan, path, skip, above | {real})


def _is_output(path: str) -> bool:
    """Whether a folder holds results of this package."""
    return any(osp.isfile(osp.join(path, name)) for name in OUTPUT_FILES)
