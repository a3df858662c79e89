"""Read annotated images of any format: what `tcnn fit` and `tcnn check` start from."""

import os
import os.path as osp
from collections.abc import Sequence
from dataclasses import dataclass, field

from tcnn_mm.datasets.formats.account import Account, named
from tcnn_mm.datasets.formats.annotated_images import AnnotatedImage, AnnotatedImages
from tcnn_mm.datasets.formats.check_classes import (
    check_classes,
    join_equal_names,
    note_alike,
)
from tcnn_mm.datasets.formats.check_files import Prints, check_files, note_duplicates
from tcnn_mm.datasets.formats.check_images import (
    CheckedImage,
    Progress,
    check_images,
    no_progress,
)
from tcnn_mm.datasets.formats.detect_format import detect_format
from tcnn_mm.datasets.formats.folder_scan import FolderScan, is_image, is_mask, scan_folder
from tcnn_mm.datasets.formats.image_index import ImageIndex
from tcnn_mm.datasets.image_ids import image_id, printable
from tcnn_mm.errors import UserError

# What images without annotation beside annotated ones are.
UNANNOTATED = ('negative', 'skip', 'refuse')


@dataclass(frozen=True)
class ReadOptions:
    """How data are read; the options of `tcnn fit` and `tcnn check`.

    Attributes:
        format (str, optional): A key of `FINDERS`, where several fit.
        allow_missing (bool): Go on though more than 2 % of the images or objects are left out.
        upright (bool): Read images as their EXIF orientation shows them.
        skip (tuple[str, ...]): Folders that are not looked into: the output folder.
        unannotated (str, optional): What images without annotation beside annotated ones are: a
            key of :data:`UNANNOTATED`. Defaults to 'negative' unless they are the majority, which
            is an error.
        group (str, optional): Heading of the column of a table that says which images belong
            together (of one patient, of one film).
        decode (bool): Decode every image, not only its header, and look for duplicates.
        progress (Progress): Shows how many images are read.
    """

    format: str | None = None
    allow_missing: bool = False
    upright: bool = False
    skip: tuple[str, ...] = ()
    unannotated: str | None = None
    group: str | None = None
    decode: bool = False
    progress: Progress = no_progress


@dataclass
class FoundImage:
    """One image that is used.

    Attributes:
        id (str): Unique and printable (:func:`image_id`): the path below the root of the data,
            with its extension; of several roots, the root's name is in front.
        path (str): Of its file, absolute.
        checked (CheckedImage): Annotation and size.
        print (str): Its name among the fingerprints of its part.
        unknown (tuple[str, ...]): Classes of which nobody said whether the image has them.
    """

    id: str
    path: str
    checked: CheckedImage
    print: str = ''
    unknown: tuple[str, ...] = ()


@dataclass
class FoundData:
    """Annotated images of one data set.

    Attributes:
        description (str): What was found, in words.
        boxes (bool): The annotations are objects with boxes; else image labels.
        classes (list[str]): K names.
        images (list[FoundImage]): In a fixed order.
        account (Account): What was repaired, left out and not used.
        prints (Prints): Of the decoded images.
    """

    description: str
    boxes: bool
    classes: list[str]
    images: list[FoundImage] = field(default_factory=list)
    account: Account = field(default_factory=Account)
    prints: Prints = field(default_factory=dict)


def read_data(paths: str | Sequence[str], options: ReadOptions | None = None) -> FoundData:
    """Read one or several folders (or files of annotations) as one data set.

    Args:
        paths: Folders of annotated images, or files of annotations.
        options: See :class:`ReadOptions`.

    Raises:
        UserError: No known format, several that fit, a fault in an annotation, more losses than
            `Account.check` allows; roots with boxes and roots with image labels together, roots
            that have images in common.
    """
    options = options or ReadOptions()
    roots = [paths] if isinstance(paths, str) else list(paths)
    found = [_read_root(path, options, alone=len(roots) == 1) for path in roots]
    if len(found) == 1:
        return found[0]
    joined = _joined(roots, found)
    note_duplicates(joined.prints, joined.account)
    return joined


def _read_root(path: str, options: ReadOptions, alone: bool) -> FoundData:
    """One root; `alone`: duplicates are noted here, else over all roots."""
    scan = scan_folder(path, options.skip)
    index = ImageIndex(scan.images)
    reading = detect_format(scan, index, options.format, options.group)
    account = Account()
    data = reading.read(account)
    join_equal_names(data, account)
    data.images = _decide_unannotated(scan.root, data.images, account, options.unannotated)
    _check_sanity(scan, data, account)
    data.images = _one_part_each(scan.root, data.images, account)
    checked = check_images(
        scan.root, data.images, scan.path, account, options.upright, options.progress
    )
    prints: Prints = {}
    if options.decode:
        checked, prints = check_files(checked, scan.path, account, options.progress)
    if alone:
        note_duplicates(prints, account)
    _account_for_files(scan, data, account)
    objects = sum(len(c.image.objects) for c in checked)
    account.check(scan.root, len(checked), objects, options.allow_missing)
    used = [one.image for one in checked]
    classes = check_classes(scan.root, data, used, account, options.allow_missing)
    place = scan.path(scan.only) if scan.only else scan.root
    what = 'objects with boxes' if data.boxes else 'image labels, no boxes'
    return FoundData(
        description=f'{place}: {reading.evidence}, {what}',
        boxes=data.boxes,
        classes=classes,
        images=[
            FoundImage(image_id(c.image.file), scan.path(c.image.file), c, c.image.file)
            for c in checked
        ],
        account=account,
        prints=prints,
    )


def _decide_unannotated(
    root: str, images: Sequence[AnnotatedImage], account: Account, decision: str | None
) -> list[AnnotatedImage]:
    """The images that are used, as :data:`UNANNOTATED` says.

    Raises:
        UserError: Unannotated images that are refused, or are the majority without a decision.
    """
    without = [image for image in images if not image.annotated]
    if not without:
        return list(images)
    count = f'{len(without)} of {len(images)} images have no annotation'
    if decision == 'refuse':
        raise UserError(f'{root}: {count} (the first is {without[0].file})')
    if decision is None and 2 * len(without) > len(images):
        raise UserError(
            f'{root}: {count}: have they none of the classes, or are they not labelled yet? '
            '--unannotated negative uses them as images of no class, --unannotated skip leaves '
            'them out'
        )
    if decision == 'skip':
        for image in without:
            account.leave_unused('image without annotation', image.file)
        return [image for image in images if image.annotated]
    account.note(f'{count}: used as images of no class (--unannotated skip leaves them out)')
    return list(images)


def _check_sanity(scan: FolderScan, data: AnnotatedImages, account: Account) -> None:
    """Refuse data without image, label or object."""
    if not data.images:
        account.check(scan.root, 0, 0)
        raise UserError(f'{scan.root}: no annotated image; found {len(scan.images)} images')
    annotated = any(o for image in data.images for o in image.objects or image.labels)
    if not annotated:
        account.check(scan.root, len(data.images), 0)
        what = 'no object' if data.boxes else 'no label'
        raise UserError(f'{scan.root}: {what} in the annotations of its {len(data.images)} images')
    if data.boxes and all(o.difficult for image in data.images for o in image.objects):
        raise UserError(f'{scan.root}: all objects are difficult or crowds, which label no patch')


def _one_part_each(
    root: str, images: Sequence[AnnotatedImage], account: Account
) -> list[AnnotatedImage]:
    """The images, each file once; an image of val and of test is one of test.

    Raises:
        UserError: A file that is annotated twice, or is for training and for another part.
    """
    by_file: dict[str, list[AnnotatedImage]] = {}
    for image in images:
        by_file.setdefault(image.file, []).append(image)
    more = {file: mine for file, mine in by_file.items() if len(mine) > 1}
    both = [file for file, mine in more.items() if {i.part for i in mine} == {'val', 'test'}]
    for file, mine in more.items():
        if file not in both or len(mine) > 2:
            parts = sorted({image.part for image in mine} - {'all'})
            said = f' for {", ".join(parts)},' if parts else ''
            raise UserError(
                f'{osp.join(root, file)}: annotated {len(mine)} times,{said} in '
                f'{named([image.where for image in mine], 2)} ({len(more)} such images); keep one'
            )
    if both:
        account.note(
            f'{len(both)} images are in val and in test: used for test alone, so that no threshold '
            'is chosen on test images'
        )
    return [i for i in images if i.file not in both or i.part == 'test']


def _account_for_files(scan: FolderScan, data: AnnotatedImages, account: Account) -> None:
    """Count what no reader has named: masks, images outside of what was read, folders skipped."""
    said = {image.file for image in data.images}
    for entries in (account.lost_images, account.unused):
        said.update(place for entry in entries.values() for place in entry)
    for file in scan.files:
        if is_mask(file) and is_image(file):
            account.leave_unused('mask', file)
        elif is_image(file) and file not in said:
            account.leave_unused('image that no annotation names', file)
    if scan.skipped:
        account.note(f'folders of tools and of results are skipped: {named(scan.skipped, 3)}')


def _joined(roots: Sequence[str], found: Sequence[FoundData]) -> FoundData:
    """Several roots as one data set; ids begin with the name of their root."""
    _check_shared(roots, found)
    kinds = {data.boxes for data in found}
    if len(kinds) > 1:
        labels = [root for root, data in zip(roots, found, strict=True) if not data.boxes]
        raise UserError(f'{named(labels)}: image labels, no boxes; the other folders have boxes')
    names = [osp.basename(osp.abspath(osp.expanduser(root))) for root in roots]
    if len(set(names)) < len(names):
        common = osp.commonpath([osp.abspath(osp.expanduser(root)) for root in roots])
        names = [osp.relpath(osp.abspath(osp.expanduser(root)), common) for root in roots]
    if len(set(names)) < len(names):
        raise UserError(f'{named(roots)}: a folder is given more than once')
    images, account = [], Account()
    prints: Prints = {}
    for name, data in zip(names, found, strict=True):
        name = name.replace(os.sep, '/')
        account.merge(data.account, f'{name}/')
        for image in data.images:
            image.id = f'{printable(name)}/{image.id}'
            image.print = f'{name}/{image.print}'
            images.append(image)
        for part, files in data.prints.items():
            mine = prints.setdefault(part, {})
            mine.update({f'{name}/{file}': one for file, one in files.items()})
    classes = list(dict.fromkeys(name for data in found for name in data.classes))
    note_alike(classes, account)
    return FoundData(
        description='; '.join(data.description for data in found),
        boxes=found[0].boxes,
        classes=sorted(classes),
        images=images,
        account=account,
        prints=prints,
    )


def _check_shared(roots: Sequence[str], found: Sequence[FoundData]) -> None:
    """Refuse an image file that is in two roots: one is below the other, or a link to it."""
    root_of: dict[str, str] = {}
    for root, data in zip(roots, found, strict=True):
        for image in data.images:
            other = root_of.setdefault(osp.realpath(image.path), root)
            if other != root:
                raise UserError(
                    f'{printable(image.path)}: this image is in {other} and in {root}; give '
                    'folders that have no image in common'
                )
