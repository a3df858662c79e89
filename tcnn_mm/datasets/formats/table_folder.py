"""Find the tables of a folder that name its images, and their parts."""

import os.path as osp
from collections.abc import Sequence
from dataclasses import dataclass, field

from tcnn_mm.datasets.formats.account import Account, named
from tcnn_mm.datasets.formats.annotated_images import AnnotatedImage, AnnotatedImages, Reading
from tcnn_mm.datasets.formats.folder_scan import FolderScan
from tcnn_mm.datasets.formats.image_index import ImageIndex
from tcnn_mm.datasets.formats.image_table import (
    ImageTable,
    find_image_table,
    refuse_unnamed,
    unfound,
)
from tcnn_mm.datasets.formats.parts import part_of_name, part_of_path
from tcnn_mm.datasets.formats.table import class_order, read_image_table
from tcnn_mm.datasets.formats.table_plan import TablePlan
from tcnn_mm.datasets.formats.table_text import TABLE_FORM
from tcnn_mm.datasets.formats.text_file import read_text
from tcnn_mm.datasets.image_io import image_size
from tcnn_mm.errors import UserError

SUFFIXES = ('.csv', '.tsv')


@dataclass
class TableFile:
    """A file of the folder that is a table of images.

    Attributes:
        file (str): Path below the root.
        table (ImageTable, optional): None where it could not be read.
        plan (TablePlan, optional): Its columns; None where they could not be told.
        error (UserError, optional): Why not; raised when it is read.
        part (str): Of all its images: by its name, where the folder has several tables.
    """

    file: str
    table: ImageTable | None = None
    plan: TablePlan | None = None
    error: UserError | None = None
    part: str = 'all'

    @property
    def labelled(self) -> bool:
        """Whether it says what is on the images; a list of files alone does not."""
        if 'submission' in osp.basename(self.file).lower():
            return False
        return self.plan is None or self.plan.has_labels


@dataclass
class Tables:
    """The tables that are read together.

    Attributes:
        files (list[TableFile]): In the order of their names.
        unlabelled (list[TableFile]): Tables of images without labels; not used.
        refused (list[TableFile]): Tables of images with columns that are refused; not used.
        error (UserError, optional): Why they cannot be read together.
    """

    files: list[TableFile]
    unlabelled: list[TableFile] = field(default_factory=list)
    refused: list[TableFile] = field(default_factory=list)
    error: UserError | None = None


def find_table(scan: FolderScan, index: ImageIndex, group: str | None = None) -> Reading | None:
    """Find tables whose cells name images of a folder.

    Args:
        scan: The folder; with `only`, that file is read whatever it holds, if it is a table.
        index: Its images.
        group: Heading of a column of groups.

    Returns:
        None where no table names images (lists of classes, logs), or where tables without labels
        are beside folders that can be classes.
    """
    found = [_table_file(file, scan, index, group) for file in scan.with_suffix(*SUFFIXES)]
    files = [table for table in found if table is not None]
    labelled = [table for table in files if table.labelled]
    if not files or not (labelled or scan.only or not _in_folders(scan.images)):
        return None
    tables = _join(labelled or files, scan.root)
    known = [table for table in labelled if table.plan is not None]
    if tables.error is not None and known and _join(known, scan.root).error is None:
        # Metadata or predictions beside the labels.
        tables = _join(known, scan.root)
        tables.refused = [table for table in labelled if table.plan is None]
    tables.unlabelled = [table for table in files if labelled and not table.labelled]
    evidence = '; '.join(_evidence(table, index) for table in tables.files[:4])
    more = f' … ({len(tables.files)} tables)' if len(tables.files) > 4 else ''
    return Reading('table', evidence + more, lambda account: _read(tables, scan, index, account))


def _table_file(
    file: str, scan: FolderScan, index: ImageIndex, group: str | None
) -> TableFile | None:
    """One file as a table; None where it names no image."""
    path, only = scan.path(file), scan.only is not None
    # Beside other annotations, or folders that can be classes, a table must name what is there.
    evident = not only and (_in_folders(scan.images) or bool(scan.with_suffix('.xml', '.json')))
    found = TableFile(file)
    try:
        text = read_text(path)
    except UserError as error:
        found.error = error
        text = _any_encoding(path)
    try:
        found.table = find_image_table(text, file, index, osp.dirname(file), evident)
        if found.table is None:
            if only and found.error is None:
                found.error = refuse_unnamed(text, file, index, scan.root)
            return found if only else None
        found.plan = found.table.plan(group)
    except UserError as error:
        found.error = found.error or error
        # A broken text that was never seen to name an image is another tool's.
        return found if only or found.table is not None or _mentions(text, index) else None
    return found


def _any_encoding(path: str) -> str:
    """The text of a file in any encoding: only to see whether it names images."""
    try:
        with open(path, 'rb') as file:
            data = file.read()
    except OSError:
        return ''
    # The letters of ASCII are the same in all encodings; UTF-16 and UTF-32 add zero bytes.
    return data.replace(b'\0', b'').lstrip(b'\xff\xfe').decode('latin-1')


def _mentions(text: str, index: ImageIndex) -> bool:
    """Whether the name of an image occurs in the text."""
    return any(osp.basename(image) in text for image in sorted(index.images)[:1000])


def _in_folders(images: Sequence[str]) -> bool:
    """Whether the images lie in several folders that are not parts: perhaps classes."""
    folders = {osp.basename(osp.dirname(image)) for image in images}
    return len([name for name in folders if name and part_of_name(name) is None]) > 1


def _join(files: Sequence[TableFile], root: str) -> Tables:
    """Tables that can be read together: parts by their names, or one table per folder."""
    tables = Tables(list(files))
    if len(files) < 2:
        return tables
    parts = [part_of_path(osp.splitext(table.file)[0]) for table in files]
    folders = {osp.dirname(table.file) for table in files}
    named_parts = len({*parts} - {None}) == len(files)
    per_folder = (
        len(folders) == len(files)
        and len({osp.basename(table.file).lower() for table in files}) == 1
        and (None not in parts or set(parts) == {None})
    )
    if not (named_parts or per_folder):
        tables.error = UserError(
            f'{root}: {len(files)} tables name its images '
            f'({named([table.file for table in files], 3)}); give one of the files, or name them '
            'train.csv, val.csv, test.csv'
        )
    for table, part in zip(files, parts, strict=True):
        table.part = part or 'all'
    return tables


def _evidence(table_file: TableFile, index: ImageIndex) -> str:
    """What was found, in words."""
    if table_file.table is None or table_file.plan is None:
        return f'{table_file.file} names images, but cannot be read'
    table = table_file.table.table
    heading = 'heading line' if table.heading else 'no heading line'
    part = f', part {table_file.part}' if table_file.part != 'all' else ''
    return (
        f'{table_file.file} ({len(table.rows)} rows for {len(index.images)} images, {heading}): '
        f'{table_file.plan.described()}{part}'
    )


def _read(tables: Tables, scan: FolderScan, index: ImageIndex, account: Account) -> AnnotatedImages:
    """Read the tables of a folder.

    Raises:
        UserError: What :func:`read_image_table` refuses, several tables that do not belong
            together, no labels.
    """
    if tables.error is not None:
        raise tables.error
    found: list[AnnotatedImage] = []
    boxes = set()
    for file in tables.files:
        if file.error is not None:
            raise file.error
        assert file.table is not None and file.plan is not None
        if not file.plan.has_labels:
            raise UserError(
                f'{file.file}: {file.plan.described()}, but no column of labels; {TABLE_FORM}'
            )
        boxes.add(file.plan.has_boxes)
        images = read_image_table(
            file.table,
            file.plan,
            index,
            account,
            lambda image: image_size(scan.path(image)),
            part_of_path(osp.splitext(file.file)[0]) or 'all',
        )
        if not images and file.table.table.rows:
            raise unfound(file.table, file.plan, index, scan.root)
        for image in images:
            if image.part == 'all':
                image.part = file.part
        found += images
    if len(boxes) > 1:
        raise UserError(
            f'{scan.root}: {named([f.file for f in tables.files], 3)}: tables with boxes and '
            'tables without; give one of the files'
        )
    return _result(found, boxes.pop(), tables, index, account)


def _result(
    images: list[AnnotatedImage],
    boxes: bool,
    tables: Tables,
    index: ImageIndex,
    account: Account,
) -> AnnotatedImages:
    """Account for images that no table lists, and order the classes."""
    where = named([file.file for file in tables.files], 3)
    for file in tables.unlabelled:
        account.note(f'{file.file} has no labels: not used')
    for file in tables.refused:
        account.note(f'not used: {file.error}')
    listed = {image.file for image in images}
    for image in sorted(index.images - listed):
        account.leave_unused(f'image not listed in {where}', image)
    names = [name for image in images for name in image.labels]
    names += [item.name for image in images for item in image.objects]
    names += [c.heading for f in tables.files if f.plan for c in f.plan.flags]
    if images and not names:
        raise UserError(f'{where}: no label in any row; {TABLE_FORM}')
    return AnnotatedImages(images, class_order(names), boxes)
