"""Read a table of labels or boxes: CSV or TSV, one row per image, per label or per object."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from tcnn_mm.datasets.formats.account import Account
from tcnn_mm.datasets.formats.annotated_images import AnnotatedImage
from tcnn_mm.datasets.formats.image_index import ImageIndex
from tcnn_mm.datasets.formats.image_table import ImageTable
from tcnn_mm.datasets.formats.joined_labels import split_joined, unique
from tcnn_mm.datasets.formats.table_boxes import read_boxes
from tcnn_mm.datasets.formats.table_cells import (
    TRUE,
    class_number,
    columns_of,
    is_missing,
)
from tcnn_mm.datasets.formats.table_plan import TablePlan, is_tags
from tcnn_mm.datasets.formats.table_rows import FileRow, file_rows, groups_of, parts_of
from tcnn_mm.datasets.formats.table_text import shown
from tcnn_mm.datasets.formats.via_table import read_via
from tcnn_mm.datasets.image_ids import printable
from tcnn_mm.errors import UserError

# Several rows per image are labels of one image where this share of the images has several.
LONG_SHARE = 0.1
SizeOf = Callable[[str], tuple[int, int] | None]


def read_image_table(
    found: ImageTable,
    plan: TablePlan,
    index: ImageIndex,
    account: Account,
    size_of: SizeOf,
    part: str = 'all',
) -> list[AnnotatedImage]:
    """Read the rows of a table.

    Args:
        found: The table.
        plan: Its columns.
        index: The images of the folder.
        account: Counts missing images, duplicate rows and what is not used.
        size_of: Height and width of an image, asked for where boxes can be read in two ways.
        part: Of the table, by its name.

    Returns:
        Images in the order of the table; part 'all' without a column of parts.

    Raises:
        UserError: A row without file name, an image under two names or with different labels or
            parts, what is wrong with a box.
    """
    for note in plan.notes:
        account.note(note)
    rows = list(file_rows(found.table, found.near, plan, index, account, part))
    parts, groups = parts_of(rows, plan), groups_of(rows, plan)
    if plan.via:
        images = read_via(rows, columns_of(found.table.heading, found.table.rows, ''), account)
    elif plan.boxes.box:
        images = read_boxes(rows, plan, found.table.path, account, size_of)
    else:
        images = _read_labels(rows, plan, found.table.path, account)
    for image in images:
        image.part, image.group = parts[image.file], groups[image.file]
    return images


def _read_labels(
    rows: Sequence[FileRow], plan: TablePlan, path: str, account: Account
) -> list[AnnotatedImage]:
    """One image per file, with the labels of its rows."""
    labels_of = _flag_labels(rows, plan) if plan.flags else _cell_labels(plan, path, account, rows)
    grouped: dict[str, dict[tuple[str, ...], FileRow]] = {}
    for row in rows:
        mine, labels = grouped.setdefault(row.file, {}), tuple(labels_of[row.at])
        if labels in mine:
            account.repair('duplicate row', row.where)
        mine.setdefault(labels, row)
    repeated = [mine for mine in grouped.values() if len(mine) > 1]
    single = len(plan.labels) == 1 and not plan.flags
    by_design = single and len(repeated) > 1 and len(repeated) >= LONG_SHARE * len(grouped)
    if repeated and not by_design:
        (first, one), (second, two), *_ = repeated[0].items()
        raise UserError(
            f'{two.where}: duplicate file {printable(two.file)}, labels {_text(second)} here and '
            f'{_text(first)} in {one.where.rpartition(", ")[2]}; write one row per image'
        )
    if repeated:
        account.note(
            f'{path}: one label per row: {len(repeated)} of {len(grouped)} images have several'
        )
    images = [
        AnnotatedImage(
            file, 'all', next(iter(mine.values())).where,
            labels=unique(label for labels in mine for label in labels),
        )
        for file, mine in grouped.items()
    ]  # fmt: skip
    empty = sum(not image.labels for image in images)
    if empty and plan.has_labels:
        account.note(f'{path}: no label at {empty} images: none of the classes is on them')
    return images


def _text(labels: Sequence[str]) -> str:
    return shown('|'.join(labels), 30) if labels else 'none'


def _flag_labels(rows: Sequence[FileRow], plan: TablePlan) -> dict[int, list[str]]:
    """Labels of each row from columns of 0 and 1."""
    return {
        row.at: [c.heading for c in plan.flags if c.cells[row.at].lower() in TRUE] for row in rows
    }


def _cell_labels(
    plan: TablePlan, path: str, account: Account, rows: Sequence[FileRow]
) -> dict[int, list[str]]:
    """Labels of each row from columns of labels.

    Raises:
        UserError: Cells that can be read in two ways.
    """
    counts: Counter[str] = sum((c.values for c in plan.labels), Counter())
    what = f'{path}: {plan.labels[0].title if plan.labels else "labels"}'
    split, notes = split_joined(counts, what, any(map(is_tags, plan.labels)))
    for note in notes:
        account.note(note)
    found = {}
    for row in rows:
        cells = [c.cells[row.at] for c in plan.labels]
        labels = [label for cell in cells if not is_missing(cell) for label in split[cell]]
        found[row.at] = unique(class_number(label) for label in labels if not is_missing(label))
    return found


def class_order(names: Iterable[str]) -> list[str]:
    """Different names, sorted; class numbers by their size."""
    found = set(names)
    if all(name.isdecimal() for name in found):
        return sorted(found, key=lambda name: (int(name), name))
    return sorted(found)
