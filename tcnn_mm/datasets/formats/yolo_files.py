"""Which text files are YOLO's label files, and the image of each."""

import os.path as osp
import re
from dataclasses import dataclass, field
from urllib.parse import unquote

from tcnn_mm.datasets.formats.class_folders import UNREAD_SUFFIXES
from tcnn_mm.datasets.formats.folder_scan import ANNOTATION_FOLDERS, FolderScan
from tcnn_mm.datasets.formats.image_index import ImageIndex
from tcnn_mm.datasets.formats.parts import part_of_path
from tcnn_mm.datasets.formats.yolo_lines import looks_like_labels
from tcnn_mm.datasets.formats.yolo_names import is_name_file

# Files of one folder that are looked into to find out whether they are labels.
LOOKED_AT = 20
LABEL_FOLDERS = ANNOTATION_FOLDERS | {'label', 'txt', 'txts', 'yolo', 'labels_yolo', 'yolo_labels'}
IMAGE_FOLDERS = {'images', 'image', 'imgs', 'img', 'jpegimages', 'pictures', 'photos'}
NO_IMAGE = 'no image for this label file'
OTHER_TEXTS = re.compile(r'(readme|license|licence|requirements)\b.*', re.I)


@dataclass
class LabelFiles:
    """The text files of a folder.

    Attributes:
        image_of (dict[str, str]): Label file → image.
        lost (dict[str, str]): Label file without image → why there is none.
        other (list[str]): Text files beside them that are no label files.
    """

    image_of: dict[str, str] = field(default_factory=dict)
    lost: dict[str, str] = field(default_factory=dict)
    other: list[str] = field(default_factory=list)


def find_label_files(scan: FolderScan, index: ImageIndex) -> LabelFiles:
    """Find label files: texts that are called like images, or are in a folder of labels.

    A folder counts where some of its files have lines of YOLO.
    """
    by_folder: dict[str, list[str]] = {}
    for file in scan.files:
        if file.lower().endswith('.txt'):
            by_folder.setdefault(osp.dirname(file), []).append(file)
    unread = {osp.splitext(f) for f in scan.files if f.lower().endswith(UNREAD_SUFFIXES)}
    suffixes = {osp.basename(stem): suffix for stem, suffix in unread}
    found = LabelFiles()
    for folder, files in by_folder.items():
        matches = {file: _image(file, index) for file in files}
        matched = [file for file in files if matches[file][0]]
        of_labels = any(name.lower() in LABEL_FOLDERS for name in folder.split('/'))
        if not _has_labels(scan, matched or files if of_labels else matched):
            continue
        for file in files:
            image, how = matches[file]
            looks = None if image else looks_like_labels(scan.path(file))
            if image and not (is_name_file(file) and not looks_like_labels(scan.path(file))):
                found.image_of[file] = image
            elif is_name_file(file) or OTHER_TEXTS.fullmatch(osp.basename(file)):
                continue
            elif looks or (looks is None and of_labels):
                suffix = suffixes.get(osp.splitext(osp.basename(file))[0])
                found.lost[file] = (
                    f'images of type {suffix.lower()} are not read' if suffix else how
                )
            else:
                found.other.append(file)
    return found


def _has_labels(scan: FolderScan, files: list[str]) -> bool:
    """Whether some of the files, spread over all of them, have lines of YOLO."""
    looked = 0
    for file in [*files[:: max(1, len(files) // LOOKED_AT)], *files]:
        looks = looks_like_labels(scan.path(file))
        if looks:
            return True
        looked += looks is not None
        if looked > LOOKED_AT:
            break
    return False


def _image(file: str, index: ImageIndex) -> tuple[str | None, str]:
    """The image of a label file; else None and why there is none.

    Ultralytics' rule first: images/a/1.jpg has labels/a/1.txt.
    """
    stem, folder = osp.splitext(file)[0], osp.dirname(file)
    names = folder.split('/')
    at = next((n for n, name in enumerate(names) if name.lower() in LABEL_FOLDERS), None)
    wanted, near = stem, folder
    if at is not None:
        wanted = '/'.join(['images', *names[at + 1 :], osp.basename(stem)])
        near = '/'.join(names[:at])
    match = index.find(wanted, near, stem=True)
    if match.file is None and '%' in wanted and match.how == 'no image of this name':
        match = index.find(unquote(wanted), near, stem=True)
    if match.file is None:
        return None, NO_IMAGE if match.how == 'no image of this name' else match.how
    if _differ(folder, osp.dirname(match.file)):
        return None, NO_IMAGE
    return match.file, ''


def _differ(label_folder: str, image_folder: str) -> bool:
    """Whether two folders are of different parts, or of different folders below them."""
    parts = part_of_path(label_folder), part_of_path(image_folder)
    if all(parts) and parts[0] != parts[1]:
        return True
    mine, its = _below(label_folder, LABEL_FOLDERS), _below(image_folder, IMAGE_FOLDERS)
    return bool(mine and its) and mine != its


def _below(folder: str, known: set[str]) -> str:
    """The folders below the first one with a known name."""
    names = folder.split('/')
    at = next((n for n, name in enumerate(names) if name.lower() in known), len(names))
    return '/'.join(names[at + 1 :])
