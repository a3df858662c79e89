"""Write the tables of README.md and docs/ from the measured rows in results/.

    python tools/analysis_tools/make_tables.py           # rewrite the pages
    python tools/analysis_tools/make_tables.py --check   # exit 1 where a page is out of date

A page marks a table by `<!-- table: NAME -->` and `<!-- end of table -->`; results/tables.json
says which figures stand in it. A figure is never typed into a page: change its JSON file, or
results/tables.json, and run this script.
"""

import argparse
import glob
import json
import os.path as osp
import re
from typing import Any

ROOT = osp.dirname(osp.dirname(osp.dirname(osp.abspath(__file__))))
MARKED = re.compile(r'(<!-- table: (\w+) -->\n).*?(<!-- end of table -->)', re.S)


def read_json(path: str) -> Any:
    """A JSON file of results/, by its path there."""
    with open(osp.join(ROOT, 'results', path), encoding='utf-8') as file:
        return json.load(file)


def number(value: float, digits: int | None) -> str:
    """A number with `digits` decimals, or as it stands in the file; an integer stays one."""
    if isinstance(value, int):
        return f'{value:,}'
    return str(value) if digits is None else f'{value:.{digits}f}'


def figure_text(figure: dict, digits: int | None) -> str:
    """`87.1 (86.4–87.7)`: mean and range of the seeds; the mean alone without a range."""
    text = number(figure['value'], digits)
    if figure['range'] is None:
        return text
    low, high = (number(value, digits) for value in figure['range'])
    return f'{text} ({low}–{high})'


def cell_value(cell: str | None, metric: str) -> dict | None:
    """The figure that a cell refers to: `GROUP/ROW`, or `GROUP/ROW#paper`; None for no figure."""
    if cell is None or cell.startswith('=') or cell.endswith('#notes'):
        return None
    path, _, part = cell.partition('#')
    row = read_json(f'{path}.json')
    if part == 'paper':
        return dict(value=row['paper']['value'], range=None)
    return row['figures'].get(metric)


def cell_text(cell: str | None, metric: str, digits: int | None) -> str:
    """A cell as Markdown: literal text after `=`, the notes of a row, a figure, or a dash."""
    if cell is not None and cell.startswith('='):
        return cell[1:]
    if cell is not None and cell.endswith('#notes'):
        return read_json(cell.removesuffix('#notes') + '.json')['notes']
    figure = cell_value(cell, metric)
    return '–' if figure is None else figure_text(figure, digits)


def table_text(table: dict) -> str:
    """A table of results/tables.json as Markdown; the largest figure of a column is bold."""
    columns, digits = table['columns'], table.get('digits', 1)
    metrics = table.get('metrics', [''] * len(columns))
    lines = [[table.get('corner', ''), *columns]]
    cells = [[row.get('label') or method(row['cells']), *row['cells']] for row in table['rows']]
    lines += [
        [label, *(cell_text(c, m, digits) for c, m in zip(found, metrics, strict=True))]
        for label, *found in cells
    ]
    if table.get('bold', True):
        for column, metric in enumerate(metrics):
            figures = [cell_value(row[column + 1], metric) for row in cells]
            values = [figure['value'] if figure else float('-inf') for figure in figures]
            if max(values) > float('-inf') and len(values) > 1:
                best = lines[1 + values.index(max(values))]
                best[column + 1] = re.sub(r'^[\d.,]+', r'**\g<0>**', best[column + 1])
    rows = ['| ' + ' | '.join(line) + ' |' for line in lines]
    return '\n'.join([rows[0], '|---' * len(lines[0]) + '|', *rows[1:]])


def method(cells: list[str | None]) -> str:
    """The label of a row: the method that its first figure's file names."""
    first = next(cell for cell in cells if cell is not None and not cell.startswith('='))
    return read_json(first.partition('#')[0] + '.json')['method']


def page_text(text: str, tables: dict[str, dict]) -> str:
    """A page with its marked tables made anew."""

    def fill(found: re.Match) -> str:
        return f'{found[1]}{table_text(tables[found[2]])}\n{found[3]}'

    return MARKED.sub(fill, text)


def pages() -> list[str]:
    """Pages that may hold tables: README.md and every page of docs/."""
    docs = glob.glob(osp.join(ROOT, 'docs', '**', '*.md'), recursive=True)
    return [osp.join(ROOT, 'README.md'), *sorted(docs)]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        '--check', action='store_true', help='change nothing; exit 1 on a difference'
    )
    args = parser.parse_args()
    tables, stale = read_json('tables.json'), []
    for path in pages():
        with open(path, encoding='utf-8') as file:
            text = file.read()
        made = page_text(text, tables)
        if made != text:
            stale.append(osp.relpath(path, ROOT))
            if not args.check:
                with open(path, 'w', encoding='utf-8') as file:
                    file.write(made)
    print('\n'.join(stale) or 'all tables are up to date')
    if args.check and stale:
        raise SystemExit('run python tools/analysis_tools/make_tables.py')


if __name__ == '__main__':
    main()
