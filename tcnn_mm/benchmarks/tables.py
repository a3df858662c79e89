"""Rows of numbers as text in aligned columns, the same on a terminal and in a log file."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table


def cell(value: Any) -> str:
    """Return a value as text: numbers with four digits, a dash for None."""
    if value is None:
        return '–'
    return value if isinstance(value, str) else f'{value:.4g}'


def table_lines(rows: Sequence[Mapping[str, Any]], leave_out: Sequence[str] = ()) -> list[str]:
    """Return a heading and one line per row; the columns are the keys of the first row.

    Args:
        rows: Of the same kind; a missing value is a dash.
        leave_out: Keys that are no columns.
    """
    keys = [key for key in rows[0] if key not in leave_out]
    table = Table(box=None, pad_edge=False, padding=(0, 1))
    for i, key in enumerate(keys):
        table.add_column(key, justify='left' if i == 0 else 'right', no_wrap=True)
    for row in rows:
        table.add_row(*(cell(row.get(key)) for key in keys))
    console = Console(width=40 * len(keys), no_color=True)
    with console.capture() as captured:
        console.print(table)
    return [line.rstrip() for line in captured.get().splitlines()]
