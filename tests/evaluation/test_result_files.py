"""Result files of the devkit: their names, their lines, and errors that name file and line."""

import tarfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcnn_mm.errors import UserError
from tcnn_mm.evaluation.result_files import (
    align,
    parse_results,
    read_results,
    result_file,
    write_results,
)


@pytest.mark.parametrize(
    'comp, name, path',
    [
        ('comp1', 'cat', 'results/VOC2012/Main/comp1_cls_test_cat.txt'),
        ('comp2', 'aeroplane', 'results/VOC2012/Main/comp2_cls_test_aeroplane.txt'),
        ('comp9', 'jumping', 'results/VOC2012/Action/comp9_action_test_jumping.txt'),
        ('comp10', 'jumping', 'results/VOC2012/Action/comp10_action_test_jumping.txt'),
    ],
)
def test_names(comp, name, path):
    """The devkit's tree and file names."""
    assert result_file(comp, 'test', name) == path


def test_missing_lines_rank_last():
    """As in the devkit a key without a line counts as -inf; a foreign key is an error."""
    keys = [('a',), ('b',), ('c',)]
    assert align({('c',): 0.5, ('a',): -3.0}, keys, 'x').tolist() == [-3.0, -np.inf, 0.5]
    with pytest.raises(UserError, match=r'comp1: d is not in the split \(1 such lines\)'):
        align({('d',): 0.5}, keys, 'comp1')


@pytest.mark.parametrize(
    'name, text, message',
    [
        ('comp2_cls_val_cat.txt', 'a 1 0.5\n', 'line 1: "a 1 0.5", expected `id score`'),
        ('comp9_action_val_jumping.txt', 'a 0.5\n', 'expected `id objectIdx score`'),
        ('comp2_cls_val_cat.txt', 'a 0.5\n\nb high\n', 'line 3: "b high"'),
        ('comp2_cls_val_cat.txt', 'a nan\n', 'line 1'),
        ('comp2_cls_val_cat.txt', 'a 0.5\na 0.7\n', 'line 2: duplicate key a'),
    ],
)
def test_lines_that_are_none(name, text, message):
    """File and line are named."""
    with pytest.raises(UserError, match=f'{name}, .*{message}'):
        parse_results(text, name, name.partition('_')[0])


def test_nothing_to_read(tmp_path):
    """An empty folder, a file that is no archive, the same file twice: one line each."""
    with pytest.raises(UserError, match='no result files, such as results/VOC2012/Main'):
        read_results(str(tmp_path))
    (tmp_path / 'x.tar.gz').write_text('nothing')
    with pytest.raises(UserError, match='not a tar archive'):
        read_results(str(tmp_path / 'x.tar.gz'))
    for folder in ('one', 'two'):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / 'comp2_cls_val_cat.txt').write_text('a 0.5\n')
    with pytest.raises(UserError, match='two files comp2_cls_val_cat.txt'):
        read_results(str(tmp_path))


def test_other_files_are_passed_over(tmp_path):
    """Files of other names, a competition with the task of another, and folders are not results."""
    write_results(str(tmp_path), 'comp1', 'val', ['cat'], [('a',)], np.array([[0.25]]))
    (tmp_path / 'results' / 'notes.txt').write_text('nothing')
    (tmp_path / 'results' / 'comp1_action_val_cat.txt').write_text('nothing')
    (tmp_path / 'results' / 'comp2_cls_val_cat.txt').mkdir()
    expected = {('comp1', 'val'): {'cat': {('a',): 0.25}}}
    assert read_results(str(tmp_path / 'results')) == expected
    with tarfile.open(tmp_path / 'all.tar', 'w') as archive:
        archive.add(tmp_path / 'results', 'results')
    assert read_results(str(tmp_path / 'all.tar')) == expected


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.lists(st.floats(allow_nan=False), min_size=1, max_size=8))
def test_every_score_comes_back(tmp_path_factory, scores):
    """Reading gives the bits that were written, also infinite and subnormal ones."""
    folder = str(tmp_path_factory.mktemp('results'))
    keys = [(f'{i:06d}', '1') for i in range(len(scores))]
    table = np.array([scores, scores[::-1]]).T
    archive = write_results(folder, 'comp9', 'val', ['a b', 'c_d'], keys, table)
    found = read_results(archive)['comp9', 'val']
    for column, name in zip(table.T, ('a b', 'c_d'), strict=True):
        assert list(found[name]) == keys
        assert np.array_equal(list(found[name].values()), column)
