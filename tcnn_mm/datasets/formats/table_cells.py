"""What the cells of a table's column hold: numbers, flags, names of parts, missing values."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from tcnn_mm.datasets.formats.parts import part_of_name
from tcnn_mm.datasets.formats.table_text import has_image_suffix, shown
from tcnn_mm.errors import UserError

# How pandas, R and spreadsheets write that there is no value.
MISSING = {'', 'nan', 'none', 'na', 'n/a', '#n/a', '<na>', 'null'}
NUMBER = re.compile(r'[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?', re.ASCII | re.IGNORECASE)
TRUE = {'1', '1.0', 'true'}
FALSE = {'0', '0.0', 'false'}
# A column of class numbers has few of them: ten, or each two times on average.
FEW_NUMBERS = 10


def is_missing(cell: str) -> bool:
    """Whether a cell says that there is no value."""
    return cell.lower() in MISSING


@lru_cache(maxsize=100_000)
def number_of(cell: str) -> float | None:
    """The number that a cell holds, also with a decimal comma; None for anything else."""
    text = cell.replace(',', '.', 1) if '.' not in cell else cell
    return float(text) if NUMBER.fullmatch(text) else None


def plain_name(heading: str) -> str:
    """A heading in lower case without blanks, underscores and a number at its end."""
    return re.sub(r'[\W_]+', '', heading.lower()).rstrip('0123456789')


def class_number(cell: str) -> str:
    """'3.0' as '3': pandas writes numbers of a column with missing values so."""
    return cell.removesuffix('.0') if re.fullmatch(r'\d+\.0', cell) else cell


@dataclass
class Column:
    """One column of a table.

    Attributes:
        at (int): Its place, from 0.
        heading (str): As written; '' without one.
        cells (list[str]): One per row; '' where the row is too short.
        path (str): The file, for messages.
    """

    at: int
    heading: str
    cells: list[str]
    path: str

    @property
    def title(self) -> str:
        """'column "score"', or 'column 3' without a heading."""
        name = ''.join(c if c.isprintable() else ' ' for c in self.heading)[:40]
        return f'column "{name}"' if name else f'column {self.at + 1}'

    @cached_property
    def values(self) -> Counter[str]:
        """Different cells, without missing values, and how often they occur."""
        counts = Counter(self.cells)
        return Counter({cell: n for cell, n in counts.items() if not is_missing(cell)})

    @cached_property
    def is_numeric(self) -> bool:
        """Whether all values are numbers."""
        return bool(self.values) and all(number_of(v) is not None for v in self.values)

    @cached_property
    def mostly_numbers(self) -> bool:
        """Whether at least half of the values are numbers."""
        numbers = sum(n for v, n in self.values.items() if number_of(v) is not None)
        return 0 < self.values.total() <= 2 * numbers

    @cached_property
    def is_flags(self) -> bool:
        """Whether all values are 0 and 1, -1 and 1, or true and false."""
        values = {v.lower() for v in self.values}
        absent = {'-1', '-1.0'} if values & {'-1', '-1.0'} else FALSE
        return bool(values) and values <= TRUE | absent

    @cached_property
    def is_files(self) -> bool:
        """Whether at least half of the values end like names of images."""
        files = sum(n for v, n in self.values.items() if has_image_suffix(v))
        return 0 < self.values.total() <= 2 * files

    @cached_property
    def is_parts(self) -> bool:
        """Whether all values are names of parts: train, val, test."""
        return bool(self.values) and all(part_of_name(v) for v in self.values)

    @cached_property
    def is_class_numbers(self) -> bool:
        """Whether all values are whole numbers, few different ones: 0…9."""
        whole = all(re.fullmatch(r'\d{1,5}(\.0)?', v, re.ASCII) for v in self.values)
        few = len(self.values) <= max(FEW_NUMBERS, self.values.total() / 2)
        return bool(self.values) and whole and few

    @cached_property
    def is_count(self) -> bool:
        """Whether the cells count the rows: 0, 1, 2 … or 1, 2, 3 …"""
        first = self.cells[0] if self.cells else ''
        if first not in ('0', '1'):
            return False
        return self.cells == [str(n) for n in range(int(first), int(first) + len(self.cells))]


def columns_of(heading: list[str], rows: list[list[str]], path: str) -> list[Column]:
    """The columns of a table; as many as its longest row has cells."""
    width = max([len(heading), *map(len, rows)])
    names = heading + [''] * (width - len(heading))
    padded = [row + [''] * (width - len(row)) for row in rows]
    return [Column(at, names[at], [row[at] for row in padded], path) for at in range(width)]


def find_column(columns: Sequence[Column], name: str, path: str) -> Column:
    """The column with this heading, in any case of letters.

    Raises:
        UserError: None; lists those of the table.
    """
    for column in columns:
        if column.heading.strip().lower() == name.strip().lower():
            return column
    known = ', '.join(shown(column.heading, 20) for column in columns if column.heading)
    raise UserError(
        f'{path}: no column {shown(name, 40)} for tcnn fit --group; '
        + (f'its columns are {known}' if known else 'it has no heading line')
    )
