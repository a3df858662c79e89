"""Tables whose cells name images: found among the CSV and TSV of a folder."""

from dataclasses import dataclass

from tcnn_mm.datasets.formats.image_index import ImageIndex
from tcnn_mm.datasets.formats.table_cells import columns_of
from tcnn_mm.datasets.formats.table_heading import ImageNames, find_file_column, is_heading
from tcnn_mm.datasets.formats.table_plan import TablePlan, plan_columns
from tcnn_mm.datasets.formats.table_text import TABLE_FORM, TextTable, parse_table, shown
from tcnn_mm.errors import UserError


@dataclass
class ImageTable:
    """A table whose cells name images.

    Attributes:
        table (TextTable): Rows and heading.
        file (int): The column of file names, from 0.
        near (str): Folder of the table below the root.
    """

    table: TextTable
    file: int
    near: str

    def plan(self, group: str | None = None) -> TablePlan:
        """What the columns are.

        Args:
            group: Heading of a column of groups.

        Raises:
            UserError: See :func:`plan_columns`.
        """
        table = self.table
        columns = columns_of(table.heading, table.rows, table.path)
        return plan_columns(columns, columns[self.file], table.path, bool(table.heading), group)


def find_image_table(
    text: str, path: str, index: ImageIndex, near: str = '', evident: bool = False
) -> ImageTable | None:
    """Parse a table, and find its column of file names and its heading line.

    Args:
        text: Of the file.
        path: The file, for messages.
        index: The images of the folder.
        near: Folder of the table below the root.
        evident: Cells that only look like names of images are not enough.

    Returns:
        None where no column names images.

    Raises:
        UserError: An export of VIA 3, quotation marks that do not match, two columns that name
            different images.
    """
    if 'CSV_HEADER' in text[:1000]:
        raise UserError(
            f'{path}: an export of VIA 3, which is not read; export COCO from VIA, or the CSV of '
            'VIA 2'
        )
    names = ImageNames(index, near)
    table = parse_table(text, path, names)
    file = find_file_column(table.rows, names, path) if table.rows else None
    if file is None or (evident and not file.evident):
        return None
    if is_heading(table.rows, file, names):
        table.heading = table.rows[0]
        del table.rows[0], table.lines[0]
        if table.heading:
            table.heading[0] = table.heading[0].lstrip('# ')
    return ImageTable(table, file.at, near)


def refuse_unnamed(text: str, path: str, index: ImageIndex, root: str) -> UserError:
    """The error of a table that names no image: what its first column holds."""
    table = parse_table(text, path, lambda _: False)
    first = list(dict.fromkeys(row[0] for row in table.rows))[:3]
    holds = f'the first column holds {", ".join(shown(c, 20) for c in first)}'
    return UserError(
        f'{path}: no column names an image; {holds if first else "it has no row"}; looked among '
        f'{len(index.images)} images below {root}; {TABLE_FORM}'
    )


def unfound(found: ImageTable, plan: TablePlan, index: ImageIndex, root: str) -> UserError:
    """The error of a table none of whose images exists."""
    examples = ', '.join(shown(cell, 30) for cell in list(plan.file.values)[:2])
    return UserError(
        f'{found.table.path}: none of the images of {plan.file.title} exists ({examples}); looked '
        f'among {len(index.images)} images below {root}; move the images or the table'
    )
