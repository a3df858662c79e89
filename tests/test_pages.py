"""Pages are finished: no placeholder is left, rows fit their tables, counts are those of today."""

import glob
import os.path as osp
import re

import pytest

from tests.support.docs_pages import ROOT, read_page
from tests.support.remedies import messages

PAGES = sorted(
    osp.relpath(path, ROOT)
    for pattern in ('*.md', 'docs/**/*.md', 'configs/**/*.md', '.github/**/*.md')
    for path in glob.glob(osp.join(ROOT, pattern), recursive=True)
)
PLACEHOLDER = re.compile(r'\b(?:[A-Z0-9]+_(?:FIGURE|NUMBER|VALUE|RESULT)|TODO|FIXME|TBD|XXX+)\b')
CELLS = re.compile(r'(?<!\\)\|')


def tables(text):
    """The tables of a page: lists of rows, each a list of cells."""
    found, rows = [], []
    for line in [*re.sub(r'^```.*?^```', '', text, flags=re.M | re.S).splitlines(), '']:
        if line.startswith('|'):
            # A bar in code is no border.
            bare = re.sub(r'`[^`]*`', lambda code: code.group().replace('|', '\0'), line)
            rows.append([cell.strip() for cell in CELLS.split(bare.strip())[1:-1]])
        elif rows:
            found.append(rows)
            rows = []
    return found


@pytest.mark.parametrize('page', PAGES)
def test_no_placeholder_is_left(page):
    """A figure to come, a text to write."""
    assert PLACEHOLDER.findall(read_page(page)) == []


@pytest.mark.parametrize('page', PAGES)
def test_every_row_has_the_cells_of_its_header(page):
    """A row that was added below another table is found by its length."""
    wrong = [row for table in tables(read_page(page)) for row in table if len(row) != len(table[0])]
    assert wrong == []


def test_what_is_not_finished_is_found():
    """Placeholders of each kind, and a row of another table."""
    for text in ('OFFLINE_FIGURE', 'TODO: write', 'TBD', 'XXX', 'FIXME', 'MAP_NUMBER'):
        assert PLACEHOLDER.search(f'| a | {text} |')
    assert not PLACEHOLDER.search('TCNN_DATA, TCNN_MAX_PIXELS, RANK')
    (table,) = tables('a\n\n| a | `b|c` |\n|---|---|\n| d \\| e | f | g |\n\nh')
    assert [len(row) for row in table] == [2, 2, 3]


def test_no_promise_is_there_again():
    """Each promise of docs/reliability.md has one row, with a test."""
    rows = tables(read_page('docs/reliability.md'))[0][2:]
    promises = [row[0] for row in rows]
    assert len(promises) > 50 and len(promises) == len({*promises})
    files, former = [], []
    for row in rows:
        if 'same' in row[1]:
            files.append(former)
        named = re.findall(r'`((?:tests/|\.ci/|make )[^`]*)`', row[1])
        former = named or former
        assert former, row
        missing = [name for name in named if name[0] != 'm' and not osp.exists(f'{ROOT}/{name}')]
        assert missing == [], row


def test_the_count_of_messages_is_that_of_today():
    """To within 10 %."""
    (text,) = re.findall(r'([\d,]+) messages', read_page('docs/reliability.md'))
    count = sum(1 for _ in messages())
    assert int(text.replace(',', '')) == pytest.approx(count, rel=0.1)
