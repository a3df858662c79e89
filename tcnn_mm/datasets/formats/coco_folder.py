"""Folders with annotation files in COCO's format, as tools leave them.

COCO's own tree, Roboflow (`train/_annotations.coco.json`), CVAT (`annotations/` beside `images/`),
Label Studio (`result.json`), one file or several, at any depth. The names of files and folders say
the parts.
"""

import os.path as osp
from collections.abc import Sequence
from dataclasses import dataclass

from tcnn_mm.datasets.formats.account import Account, named
from tcnn_mm.datasets.formats.annotated_images import AnnotatedImage, AnnotatedImages, Reading
from tcnn_mm.datasets.formats.coco import CocoImage, parse_coco
from tcnn_mm.datasets.formats.coco_files import CocoJson, choose_files, looks_like_coco
from tcnn_mm.datasets.formats.folder_scan import FolderScan, is_image
from tcnn_mm.datasets.formats.image_index import ImageIndex, clean_name
from tcnn_mm.datasets.formats.json_values import load_json
from tcnn_mm.datasets.formats.parts import part_of_path
from tcnn_mm.datasets.image_ids import printable
from tcnn_mm.errors import UserError

NOT_LISTED = 'image that no annotation file lists'
ELSEWHERE = 'no such image: the file of this name is that of another entry'


@dataclass
class Claim:
    """An image of a file and what was found for it.

    Attributes:
        json (CocoJson): The annotation file.
        image (CocoImage): Its entry.
        file (str, optional): The image below the root.
        how (str): How it was found, or why not.
        part (str): By the annotation file, else by the folder of the image.
    """

    json: CocoJson
    image: CocoImage
    file: str | None
    how: str
    part: str

    @property
    def rank(self) -> tuple[bool, int]:
        """How near the image is: at the place that is written or in a folder of the part."""
        assert self.file is not None
        folder, name = osp.dirname(self.json.file), clean_name(self.image.file_name)
        exact = self.file in (name, f'{folder}/{name}'.lstrip('/'))
        here = self.json.part != 'all' and part_of_path(osp.dirname(self.file)) == self.json.part
        common = osp.commonprefix([folder.split('/'), osp.dirname(self.file).split('/')])
        return exact or here, len(common)


def find_coco(scan: FolderScan, index: ImageIndex) -> Reading | None:
    """A reading of the COCO files; None without any.

    A JSON that is given and broken is a reading too, whose `read` raises.
    """
    files = scan.with_suffix('.json')
    found = [file for file in files if looks_like_coco(scan.path(file))]
    if found:
        what = f'{len(found)} files' if len(found) > 1 else 'a file'
        evidence = f'{what} in COCO format: {named(found, 3)}'
        return Reading(
            'coco', evidence, lambda account: read_coco_files(scan, index, found, account)
        )
    if scan.only is None or not files or not _is_broken(scan.path(scan.only)):
        return None
    return Reading(
        'coco', 'a broken JSON', lambda account: read_coco_files(scan, index, files, account)
    )


def read_coco_files(
    scan: FolderScan, index: ImageIndex, files: Sequence[str], account: Account
) -> AnnotatedImages:
    """Read annotation files and find their images.

    Images that a file lists without any annotation are negatives. An image that files of several
    parts list is given once per part.

    Args:
        files: JSON files below the root.

    Returns:
        Images by part and file; classes by the ids of the first file, then those that only
        others have.

    Raises:
        UserError: What :func:`choose_files` and :func:`parse_coco` refuse; no image in the files;
            two entries of one file that are the same image.
    """
    claims: list[Claim] = []
    classes: dict[str, None] = {}
    chosen = choose_files(scan, index, files, account)
    for item in chosen:
        parsed = parse_coco(item.content, scan.path(item.file), account, item.file)
        classes.update(dict.fromkeys(parsed.classes))
        claims += _claims(item, parsed.images, index)
        if len(chosen) > 1 and not any(image.objects for image in parsed.images):
            account.note(
                f'{item.file}: no annotation: its {len(parsed.images)} images are used as images '
                'of no class; move the file away where they are only not annotated'
            )
    if not claims:
        raise UserError(
            f'{scan.path(chosen[0].file)}: no image in "images"; export it with its images'
        )
    _settle(scan, claims)
    _part_of_folders(claims)
    other_types = {osp.basename(file) for file in scan.files if not is_image(file)}
    images = []
    for claim in claims:
        if claim.file is None:
            _lose(claim, other_types, account)
            continue
        if claim.how:
            account.repair(f'file_name found {claim.how}', claim.image.where)
        image = claim.image
        images.append(
            AnnotatedImage(
                claim.file, claim.part, image.where, image.objects, size_hw=image.size_hw
            )
        )
    listed = {image.file for image in images}
    for file in sorted(index.images - listed):
        account.leave_unused(NOT_LISTED, file)
    return AnnotatedImages(images, list(classes), boxes=True)


def _is_broken(path: str) -> bool:
    try:
        load_json(path)
    except UserError:
        return True
    return False


def _claims(item: CocoJson, images: Sequence[CocoImage], index: ImageIndex) -> list[Claim]:
    """Find the images of one file; several of one name are told apart by folders of the part."""
    found = []
    for image in images:
        match = index.find(image.file_name, osp.dirname(item.file), part=item.part)
        how = match.how if match.file else match.how.partition(':')[0]
        found.append(Claim(item, image, match.file, how, item.part))
    return found


def _part_of_folders(claims: Sequence[Claim]) -> None:
    """Where no file says a part, but the images are in folders of several, these say it."""
    found = [claim for claim in claims if claim.file is not None]
    parts = [part_of_path(osp.dirname(claim.file or '')) or 'all' for claim in found]
    if len(set(parts)) > 1 and all(claim.json.part == 'all' for claim in claims):
        for claim, part in zip(found, parts, strict=True):
            claim.part = part


def _settle(scan: FolderScan, claims: Sequence[Claim]) -> None:
    """Give an image that several entries mean to the nearest ones; the others have none.

    Raises:
        UserError: Two entries of one file.
    """
    by_file: dict[str, list[Claim]] = {}
    for claim in claims:
        if claim.file is not None:
            by_file.setdefault(claim.file, []).append(claim)
    for file, mine in by_file.items():
        if len(mine) == 1:
            continue
        best = max(claim.rank for claim in mine)
        seen: dict[str, Claim] = {}
        for claim in mine:
            if claim.rank < best:
                claim.file, claim.how = None, ELSEWHERE
                continue
            other = seen.setdefault(claim.json.file, claim)
            if other is not claim:
                names = f'{other.image.file_name!r} and {claim.image.file_name!r}'
                raise UserError(
                    f'{scan.path(claim.json.file)}: {names} are the same image {file}; list every '
                    'image once'
                )


def _lose(claim: Claim, other_types: set[str], account: Account) -> None:
    """Count an image that is not used, and its objects."""
    name = osp.basename(clean_name(claim.image.file_name))
    reason = claim.how
    if name in other_types:
        reason = f'type {osp.splitext(name)[1] or "without suffix"} is not read'
    account.lose_image(reason, f'{claim.image.where}: {printable(claim.image.file_name)}')
    for item in claim.image.objects:
        account.lose_object('its image is left out', item.where)
