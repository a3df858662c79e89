"""The rows of a table with the images that they name, and the part of each image."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tcnn_mm.datasets.formats.account import Account
from tcnn_mm.datasets.formats.column_names import FLAG_PARTS
from tcnn_mm.datasets.formats.image_index import ImageIndex
from tcnn_mm.datasets.formats.parts import part_of_name
from tcnn_mm.datasets.formats.table_cells import TRUE, is_missing, plain_name
from tcnn_mm.datasets.formats.table_plan import TablePlan
from tcnn_mm.datasets.formats.table_text import TABLE_FORM, TextTable, shown
from tcnn_mm.datasets.image_ids import printable
from tcnn_mm.errors import UserError


class FileRow(NamedTuple):
    """A row that names an image. `at`: its place among the rows; `file`: the image."""

    at: int
    file: str
    where: str


def file_rows(
    table: TextTable,
    near: str,
    plan: TablePlan,
    index: ImageIndex,
    account: Account,
    part: str = 'all',
) -> Iterator[FileRow]:
    """The rows whose images exist; each image has one name.

    Args:
        part: Of the table. Among images of one name, those in folders of the part count; a column
            of parts says it for each row.

    Raises:
        UserError: A row without file name, two names of one image.
    """
    places: dict[tuple[str, str], str | None] = {}
    names: dict[str, str] = {}
    for at, (row, line) in enumerate(zip(table.rows, table.lines, strict=True)):
        name, where = plan.file.cells[at], f'{table.path}, line {line}'
        if table.heading and row == table.heading:
            account.repair('heading line repeated', where)
            continue
        if is_missing(name):
            raise UserError(f'{where}: no file name in {plan.file.title}; {TABLE_FORM}')
        mine = (part_of_name(plan.part.cells[at]) if plan.part else None) or part
        if (name, mine) not in places:
            match = index.find(name, near, part=mine)
            places[name, mine] = match.file
            if match.file is None:
                account.lose_image(match.how.partition(':')[0], f'{where}: {printable(name)}')
            elif match.how:
                account.repair(f'image found {match.how}', f'{where}: {printable(name)}')
        file = places[name, mine]
        if file is None:
            continue
        other = names.setdefault(file, name)
        if other != name:
            raise UserError(
                f'{where}: duplicate file {shown(name, 60)}, also listed as {shown(other, 60)}; '
                'name each image in one way'
            )
        yield FileRow(at, file, where)


def groups_of(rows: Sequence[FileRow], plan: TablePlan) -> dict[str, str]:
    """The group of each image; '' for none.

    Raises:
        UserError: An image in two groups.
    """
    found: dict[str, str] = {}
    for row in rows:
        cell = '' if plan.group is None else plan.group.cells[row.at]
        group = '' if is_missing(cell) else cell
        if found.setdefault(row.file, group) != group:
            raise UserError(
                f'{row.where}: {shown(row.file, 60)} is in the groups '
                f'{shown(found[row.file], 20)} and {shown(group, 20)}; leave it in one'
            )
    return found


def parts_of(rows: Sequence[FileRow], plan: TablePlan) -> dict[str, str]:
    """The part of each image.

    Raises:
        UserError: A value that is no part, an image in two parts.
    """
    if plan.part is None:
        return {row.file: 'all' for row in rows}
    found: dict[str, str] = {}
    flags = FLAG_PARTS.get(plain_name(plan.part.heading))
    for row in rows:
        cell = plan.part.cells[row.at]
        if flags:
            part: str | None = flags[0] if cell.lower() in TRUE else flags[1]
        else:
            part = part_of_name(cell)
        if part is None:
            raise UserError(
                f'{row.where}: {plan.part.title} holds {shown(cell, 20)}; write train, val or test'
            )
        if found.setdefault(row.file, part) != part:
            raise UserError(
                f'{row.where}: {shown(row.file, 60)} is in {found[row.file]} and in {part}; leave '
                'it in one part'
            )
    return found
