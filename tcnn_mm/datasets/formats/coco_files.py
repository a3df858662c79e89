"""Which JSON files of a folder are annotations in COCO's format, and which of them are read."""

import os.path as osp
import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tcnn_mm.datasets.formats.account import Account, named
from tcnn_mm.datasets.formats.coco import check_sections, is_coco
from tcnn_mm.datasets.formats.folder_scan import FolderScan
from tcnn_mm.datasets.formats.image_index import ImageIndex
from tcnn_mm.datasets.formats.json_values import load_json
from tcnn_mm.datasets.formats.parts import part_of_name
from tcnn_mm.errors import UserError

# The order of parts: classes are in the order of the first part that has them.
PARTS = ('train', 'trainval', 'val', 'test', 'all')
_HEAD = 65536
_TOP_KEYS = (b'"images"', b'"annotations"', b'"categories"', b'"info"', b'"licenses"')


@dataclass
class CocoJson:
    """One annotation file.

    Attributes:
        file (str): Path below the root.
        part (str): One of :data:`PARTS`.
        content (dict): Of the JSON.
        listed (set[str]): The images that it lists, by their files where these are found.
    """

    file: str
    part: str
    content: dict[str, Any]
    listed: set[str]

    @property
    def has_boxes(self) -> bool:
        """Whether an annotation has a box, or a segmentation to take it from."""
        return _has_boxes(self.content)


def looks_like_coco(path: str) -> bool:
    """Whether a file has the keys of COCO's format, by its bytes: broken JSON may be true."""
    if not osp.isfile(path):  # a link to nothing
        return False
    with open(path, 'rb') as file:
        data = file.read(_HEAD).replace(b'\0', b'')  # UTF-16 is refused when it is read
        if not any(key in data for key in _TOP_KEYS):
            return False
        data += file.read().replace(b'\0', b'')
    categories = any(key in data for key in (b'"categories"', b'"bbox"', b'"category_id"'))
    return b'"images"' in data and b'"annotations"' in data and categories


def part_of_file(file: str) -> str:
    """The part that a file's name, else the innermost folder with such a name, says; or 'all'."""
    folder, name = osp.split(osp.splitext(file)[0])
    names = [name, *reversed(folder.split('/'))]
    return next(filter(None, map(part_of_name, names)), 'all')


def choose_files(
    scan: FolderScan, index: ImageIndex, files: Sequence[str], account: Account
) -> list[CocoJson]:
    """Load files and choose those that make up one data set.

    Files without boxes, or broken ones, are not used where others are there for their part; a
    file of all images is not used beside files of its parts. Files of one part whose images
    differ are read together.

    Args:
        files: Of :func:`looks_like_coco`.
        account: Counts the files that are not used.

    Returns:
        At least one file, sorted by parts; all have the part 'all' where there is one part.

    Raises:
        UserError: A broken file whose part no other file has; several files for the same images.
    """
    broken: dict[str, UserError] = {}
    found: list[CocoJson] = []
    boxless: list[str] = []
    for file in files:
        try:
            content = load_json(scan.path(file))
            if is_coco(content) or _has_boxes(content):
                check_sections(content, scan.path(file))
                listed = _listed(content, file, index)
                found.append(CocoJson(file, part_of_file(file), content, listed))
            else:
                boxless.append(file)
        except UserError as error:
            broken[file] = error
    if not found and not broken:
        raise UserError(f'{scan.path(boxless[0])}: no boxes in it; give the file with "bbox"')
    found = _with_boxes(found, boxless, account)
    _check_broken(broken, {item.part for item in found}, account)
    found = _without_unions(scan, found, account)
    found = [f for part in PARTS for f in _of_one_part(scan, found, part, account)]
    if len({item.part for item in found}) == 1:
        for item in found:
            item.part = 'all'
    return found


def _has_boxes(content: Any) -> bool:
    annotations = content.get('annotations') if isinstance(content, dict) else None
    return isinstance(annotations, list) and any(
        isinstance(a, dict) and (a.get('bbox') or a.get('segmentation')) for a in annotations
    )


def _listed(content: dict[str, Any], file: str, index: ImageIndex) -> set[str]:
    """The images of a file; names without image are told apart by the file's folder."""
    images = content['images'] if isinstance(content['images'], list) else []
    folder, found = osp.dirname(file), set()
    for image in images:
        name = image.get('file_name') if isinstance(image, dict) else None
        if isinstance(name, str):
            found.add(index.find(name, folder).file or f'{folder}//{name}')
    return found


def _with_boxes(
    found: Sequence[CocoJson], boxless: Sequence[str], account: Account
) -> list[CocoJson]:
    """Leave out files without boxes, but keep those of a part without any box."""
    parts = {item.part for item in found if item.has_boxes}
    if parts:
        parts.add('all')
    kept = [item for item in found if item.has_boxes or item.part not in parts]
    for file in (*boxless, *(item.file for item in found if item not in kept)):
        account.leave_unused('COCO file without boxes', file)
    return kept


def _check_broken(broken: dict[str, UserError], parts: set[str], account: Account) -> None:
    """Raise where a broken file may be the only one of its part."""
    for file, error in broken.items():
        part = part_of_file(file)
        if part not in parts and (part != 'all' or not parts):
            raise error
        account.leave_unused('JSON that cannot be read as COCO', file)


def _without_unions(
    scan: FolderScan, found: Sequence[CocoJson], account: Account
) -> list[CocoJson]:
    """Leave out files of all images beside files of their parts.

    Raises:
        UserError: Such a file lists further images.
    """
    kept = list(found)
    for whole, parts in (('trainval', ('train', 'val')), ('all', PARTS[:-1])):
        of_parts = [item for item in kept if item.part in parts]
        listed = set().union(*(item.listed for item in of_parts))
        for item in [item for item in kept if item.part == whole and of_parts]:
            further = len(item.listed - listed)
            files = named([other.file for other in of_parts], 3)
            if further:
                raise UserError(
                    f'{scan.path(item.file)}: lists {further} images that {files} do not; give '
                    f'one file (tcnn fit {shlex.quote(scan.path(item.file))}), or move it away'
                )
            account.leave_unused(f'all its images are in {files}', item.file)
            kept.remove(item)
    return kept


def _of_one_part(
    scan: FolderScan, found: Sequence[CocoJson], part: str, account: Account
) -> list[CocoJson]:
    """The files of one part whose images differ.

    Raises:
        UserError: Several files list the same images, and not one of them is called 'instances'.
    """
    kept = []
    for mine in _overlapping([item for item in found if item.part == part]):
        instances = [item for item in mine if 'instances' in osp.basename(item.file).lower()]
        if len(mine) > 1 and len(instances) != 1:
            counts = Counter(name for item in mine for name in item.listed)
            same = sum(count > 1 for count in counts.values())
            raise UserError(
                f'{scan.root}: {named([item.file for item in mine], 3)} list the same {same} '
                f'images; give one file (tcnn fit {shlex.quote(scan.path(mine[0].file))}), or move '
                'the others away'
            )
        chosen = instances[0] if len(mine) > 1 else mine[0]
        for item in mine:
            if item is not chosen:
                account.leave_unused(f'{chosen.file} annotates the same images', item.file)
        kept.append(chosen)
    if len(kept) > 1:
        files = named([item.file for item in kept], 3)
        account.note(f'{files} list different images and are read together')
    return kept


def _overlapping(files: Sequence[CocoJson]) -> list[list[CocoJson]]:
    """Groups of files that share images, directly or through other files of the group."""
    groups: list[tuple[set[str], list[CocoJson]]] = []
    for item in files:
        same = [group for group in groups if not group[0].isdisjoint(item.listed)]
        groups = [group for group in groups if group not in same]
        listed = item.listed.union(*(group[0] for group in same))
        groups.append((listed, [*(one for group in same for one in group[1]), item]))
    return [group for _, group in groups]
