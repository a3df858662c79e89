"""The rows of a CSV or TSV: delimiter, quotes, heading line."""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tcnn_mm.datasets.image_io import IMAGE_SUFFIXES
from tcnn_mm.errors import UserError

TABLE_FORM = 'write file,label[,label…]'
DELIMITERS = {',': 'comma', ';': 'semicolon', '\t': 'tab', '|': '|'}
# Rows looked at to find out the delimiter and the column of file names.
SAMPLE = 200

NamesImage = Callable[[str], bool]


@dataclass
class TextTable:
    """Rows of cells.

    Attributes:
        path (str): The file, for messages.
        delimiter (str): One of :data:`DELIMITERS`.
        rows (list[list[str]]): Cells without blanks around; no row without any text.
        lines (list[int]): The line of the file on which each row begins, from 1.
        heading (list[str]): Names of the columns; empty without a heading line.
    """

    path: str
    delimiter: str
    rows: list[list[str]]
    lines: list[int]
    heading: list[str] = field(default_factory=list)


def shown(text: str, most: int = 40) -> str:
    """A cell for a message: on one line, in quotation marks, shortened."""
    line = ''.join(c if c.isprintable() else ' ' for c in text)
    return f'"{line[:most]}{"…" if len(line) > most else ""}"'


def spread(rows: Sequence[list[str]]) -> Sequence[list[str]]:
    """Up to :data:`SAMPLE` rows from the whole table."""
    return rows[:: max(1, len(rows) // SAMPLE)][: SAMPLE + 1]


def has_image_suffix(cell: str) -> bool:
    """Whether a cell ends like the name of an image."""
    return cell.lower().endswith(IMAGE_SUFFIXES)


def split_rows(text: str, delimiter: str) -> tuple[list[list[str]], list[int]]:
    """Cells and line numbers of the rows that hold text.

    Raises:
        csv.Error: Quotation marks that do not match, a cell of more than 131,072 characters.
    """
    reader = csv.reader(
        io.StringIO(text, newline=''), delimiter=delimiter, strict=True, skipinitialspace=True
    )
    rows, lines, line = [], [], 1
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells):
                rows.append(cells)
                lines.append(line)
            line = reader.line_num + 1
    except csv.Error as error:
        raise csv.Error(f'line {line}: {error}') from error
    return rows, lines


def parse_table(text: str, path: str, names_image: NamesImage) -> TextTable:
    """Split a text into rows, by the delimiter that leaves whole names of images in the cells.

    Without any such name: by the delimiter that gives the most rows of equal length. The heading
    line is not looked for here.

    Args:
        text: Of the file. A first line `sep=;`, as Excel writes it, names the delimiter.
        path: The file, for messages.
        names_image: Whether a cell names an image.

    Raises:
        UserError: Quotation marks that do not match, a zero byte.
    """
    if '\0' in text:
        line = text.count('\n', 0, text.index('\0')) + 1
        raise UserError(f'{path}, line {line}: a zero byte: not a text file; save it as UTF-8')
    first, _, rest = text.partition('\n')
    declared = re.fullmatch(r'"?sep=(.)"?\s*', first)
    if declared and declared[1] in DELIMITERS:
        delimiters, text, skipped = [declared[1]], rest, 1
    else:
        delimiters, skipped = [d for d in DELIMITERS if d in text] or [','], 0
    found: list[tuple[tuple[int, float], TextTable]] = []
    broken: list[csv.Error] = []
    for delimiter in delimiters:
        try:
            rows, lines = split_rows(text, delimiter)
        except csv.Error as error:
            broken.append(error)
            continue
        sample = spread(rows)
        named = sum(any(map(names_image, row)) for row in sample)
        found.append(
            (
                (named, _regular(sample)),
                TextTable(path, delimiter, rows, [line + skipped for line in lines]),
            )
        )
    evidence, best = max(found, key=lambda pair: pair[0], default=((0, 0.0), None))
    if best is None or (broken and not evidence[0]):
        raise UserError(
            f'{path}: not a table ({broken[0]}): quotation marks that do not match, or a very long '
            f'cell; {TABLE_FORM}'
        )
    _drop_comments(best)
    return best


def _drop_comments(table: TextTable) -> None:
    """Take away lines of comment before the heading: with '#', and with fewer cells than rows."""
    counts = Counter(map(len, table.rows))
    usual = counts.most_common(1)[0][0] if counts else 0
    while table.rows and table.rows[0][0].startswith('#') and len(table.rows[0]) < usual:
        del table.rows[0], table.lines[0]


def _regular(rows: Sequence[list[str]]) -> float:
    """Share of rows that have the commonest number of cells; 0 where that is one cell."""
    counts = [len(row) for row in rows]
    usual = max(set(counts), key=counts.count, default=1)
    return counts.count(usual) / len(counts) if usual > 1 else 0.0
