"""Find the column of file names and the heading line of a table, by what the cells name."""

from collections.abc import Sequence
from typing import NamedTuple

from tcnn_mm.datasets.formats.box_columns import role_of
from tcnn_mm.datasets.formats.column_names import (
    FILE_NAMES,
    FLAG_PARTS,
    LABEL_NAMES,
    PART_NAMES,
    SCORE_NAMES,
    VIA_COLUMNS,
)
from tcnn_mm.datasets.formats.image_index import ImageIndex
from tcnn_mm.datasets.formats.table_cells import is_missing, number_of, plain_name
from tcnn_mm.datasets.formats.table_text import has_image_suffix, spread
from tcnn_mm.errors import UserError

# Names without extension are evidence where they name this share of all images.
BARE_SHARE = 0.1


class ImageNames:
    """Answers whether cells name images; remembers the answers.

    Args:
        index: The images of the folder.
        near: Folder of the table below the root.
    """

    def __init__(self, index: ImageIndex, near: str) -> None:
        self.index, self.near = index, near
        self._known: dict[str, bool] = {}

    def __call__(self, cell: str) -> bool:
        """Whether a cell is the name of an image, or of several."""
        if cell not in self._known:
            self._known[cell] = bool(cell) and self.image(cell) is not None
        return self._known[cell]

    def image(self, cell: str) -> str | None:
        """The image that a cell names; '' where it names several."""
        found = self.index.find(cell, self.near)
        return '' if found.file is None and 'images of' in found.how else found.file


class FileColumn(NamedTuple):
    """The column of file names.

    Attributes:
        at (int): Its place, from 0.
        evident (bool): The cells name images beyond doubt; else they only look like file names.
    """

    at: int
    evident: bool


def find_file_column(rows: Sequence[list[str]], names: ImageNames, path: str) -> FileColumn | None:
    """Find the column whose cells name images.

    Names with an image suffix count before names without; columns of equal evidence are chosen by
    the heading, then by how many of their cells differ.

    Args:
        rows: With the heading line, where the table has one.
        names: Whether a cell names an image.
        path: The table, for messages.

    Returns:
        None where no column names an image and none holds names with an image suffix.

    Raises:
        UserError: Two columns name different images.
    """
    heading = rows[0] if len(rows) > 1 else []
    for part in (rows[1:], rows):
        sample = spread(part)
        found = _candidates(sample, heading, names)
        if found:
            for other in found[1:]:
                _check_other(sample, heading, found[0], other, names, path)
            return found[0]
    return None


def _candidates(
    sample: Sequence[list[str]], heading: Sequence[str], names: ImageNames
) -> list[FileColumn]:
    """The columns that name images or end like it, best first."""
    found: list[tuple[tuple, FileColumn]] = []
    for at in range(max(map(len, sample), default=0)):
        cells = [row[at] for row in sample if at < len(row) and not is_missing(row[at])]
        if not cells:
            continue
        said = plain_name(heading[at]) if at < len(heading) else ''
        full = sum(has_image_suffix(c) and names(c) for c in cells)
        bare = sum(not has_image_suffix(c) and names(c) for c in cells)
        suffixed = sum(map(has_image_suffix, cells))
        images = {names.image(c) for c in cells if names(c)}
        enough = len(images) >= BARE_SHARE * min(len(names.index.images), len(sample))
        numbers = all(number_of(c) is not None for c in cells)
        by_bare = 2 * bare >= len(cells) and enough and (not numbers or said in FILE_NAMES)
        if not (full or by_bare or 2 * suffixed > len(cells)):
            continue
        order = (full, suffixed, bare, said in FILE_NAMES, len(set(cells)), -at)
        found.append((order, FileColumn(at, bool(full or by_bare))))
    return [column for _, column in sorted(found, key=lambda pair: pair[0], reverse=True)]


def _check_other(
    sample: Sequence[list[str]],
    heading: Sequence[str],
    best: FileColumn,
    other: FileColumn,
    names: ImageNames,
    path: str,
) -> None:
    """Refuse a second column of file names with suffix that names other images."""

    def said(at: int) -> bool:
        return at < len(heading) and plain_name(heading[at]) in FILE_NAMES

    if said(best.at) and not said(other.at):
        return
    for row in sample:
        if max(best.at, other.at) >= len(row):
            continue
        one, two = row[best.at], row[other.at]
        if not (has_image_suffix(two) and names(one) and names(two)):
            continue
        if names.image(one) != names.image(two):
            raise UserError(
                f'{path}: columns {best.at + 1} and {other.at + 1} name different images; name the '
                'column of the images to train on "file", or leave the other out'
            )


def is_heading(rows: Sequence[list[str]], file: FileColumn, names: ImageNames) -> bool:
    """Whether the first row names the columns.

    It does where no cell names an image or ends like one, and either a cell is a usual heading or
    no cell occurs again in its column.

    Args:
        rows: All rows.
        file: The column of file names.
        names: Whether a cell names an image.
    """
    first = rows[0]
    if any(map(has_image_suffix, first)) or len(rows) < 2:
        return False
    usual = [is_usual_heading(cell) for cell in first]
    if all(usual):
        return True
    if file.at < len(first) and names(first[file.at]):
        return False
    if any(usual):
        return True
    for at, cell in enumerate(first):
        column = {row[at] for row in rows[1:] if at < len(row)}
        if number_of(cell) is not None or (cell and cell in column):
            return False
    return True


def is_usual_heading(cell: str) -> bool:
    """Whether a cell is a usual name of a column."""
    name = plain_name(cell)
    known = FILE_NAMES | LABEL_NAMES | PART_NAMES | FLAG_PARTS.keys() | SCORE_NAMES
    return name in known or role_of(cell) is not None or cell.lower() in VIA_COLUMNS
