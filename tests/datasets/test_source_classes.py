"""Class lists of the source tasks: random ones by seed, and all below some nodes of WordNet."""

from pathlib import Path

import pytest

from tcnn_mm.datasets.class_folders import read_class_list
from tcnn_mm.datasets.source_classes import PAPER_NODES, descendants
from tcnn_mm.errors import UserError
from tests.support.runs import CONFIGS
from tests.support.tool_module import load_tool

tool = load_tool('make_source_classes')

# A small WordNet: animal → {dog → puppy, cat}, toy → {puppy, ball}; `cat` has no images.
IS_A = 'animal dog\nanimal cat\ndog puppy\ntoy puppy\ntoy ball\nball football\n'


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'is_a.txt').write_text(IS_A)
    (tmp_path / 'all.txt').write_text('toy\nanimal\ndog Hund\npuppy\nball\nfootball\nhouse\n')
    (tmp_path / 'base.txt').write_text('house\ndog\n')


def run(*arguments):
    tool.main([*map(str, arguments), '--available', 'all.txt', '--out', 'out.txt'])
    return Path('out.txt').read_text().split()


def test_a_random_list_is_a_function_of_its_seed():
    """The same seed gives the same classes, whatever the list's order; another one others."""
    drawn = run('random', '--count', 3, '--seed', 1)
    lines = Path('all.txt').read_text().splitlines()
    Path('all.txt').write_text('\n'.join(lines[::-1]))
    assert run('random', '--count', 3, '--seed', 1) == drawn == sorted(set(drawn))
    assert len({tuple(run('random', '--count', 3, '--seed', s)) for s in range(5)}) > 1
    with pytest.raises(UserError, match='the list has 7 classes'):
        run('random')


def test_all_below_the_nodes(capsys):
    """The base first, then what is available under each node, itself too, each class once."""
    options = ('--base', 'base.txt', '--is-a', 'is_a.txt', '--under', 'animal', 'toy')
    assert run('under', *options) == ['house', 'dog', 'animal', 'ball', 'football', 'puppy', 'toy']
    out = capsys.readouterr().out
    assert 'animal' in out and '2 new classes' in out and '3 new classes' in out
    assert '7 classes in all' in out and 'num_classes=7' in out


def test_counts_that_differ_from_the_papers_say_so(capsys):
    """A node of the paper with another count is reported with both numbers."""
    Path('is_a.txt').write_text(f'n02834778 ball\n{IS_A}')
    run('under', '--base', 'base.txt', '--is-a', 'is_a.txt', '--under', 'n02834778')
    assert 'bicycle' in (out := capsys.readouterr().out)
    assert '2 new classes  paper 5, differs by -3' in out
    assert sum(count for _, count in PAPER_NODES.values()) == 512


def test_a_graph_with_rings_and_broken_lines():
    """WordNet is no tree: a ring ends; a line of three words or an unknown node is named."""
    assert descendants('a', {'a': ['b', 'c'], 'b': ['d'], 'c': ['d'], 'd': ['a']}) == set('abcd')
    Path('is_a.txt').write_text('animal dog\nanimal cat lion\n')
    with pytest.raises(UserError, match='is_a.txt: line 2'):
        run('under', '--base', 'base.txt', '--is-a', 'is_a.txt')
    Path('is_a.txt').write_text(IS_A)
    with pytest.raises(UserError, match='--under n02370806: not in the is-a list'):
        run('under', '--base', 'base.txt', '--is-a', 'is_a.txt')
    with pytest.raises(UserError, match='none.txt: cannot be read'):
        run('under', '--base', 'base.txt', '--is-a', 'none.txt')


@pytest.mark.parametrize('name, count', [('1000r', 1000), ('1512', 1512)])
def test_the_lists_that_ship(name, count):
    """As many wnids as the config's head has outputs, each once."""
    path = Path(CONFIGS, '_base_', 'datasets', 'source_classes', f'{name}.txt')
    names = read_class_list(str(path))
    assert len(names) == count
    assert all(n[0] == 'n' and len(n) == 9 and n[1:].isdigit() for n in names)
