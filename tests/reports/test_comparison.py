"""Tests of two runs: paired by image and class, refused where they do not pair."""

import csv
import json
import shutil

import numpy as np
import pytest

from tcnn_mm.cli.main import main
from tcnn_mm.errors import UserError
from tcnn_mm.reports.comparison import (
    ScoredRun,
    compare_tests,
    comparison_lines,
    in_order_of,
    read_test,
)
from tcnn_mm.reports.run_artifacts import Scores


@pytest.fixture
def copy(trained_run, tmp_path):
    """Copies of the tested run, whose table of scores (header and rows) a function changes."""

    def make(name, change):
        folder = tmp_path / name
        shutil.copytree(trained_run.folder, folder)
        with open(folder / 'image_scores.csv', newline='') as file:
            table = list(csv.reader(file))
        with open(folder / 'image_scores.csv', 'w', newline='') as file:
            csv.writer(file).writerows(change(table))
        return str(folder)

    return make


def test_values_are_those_of_voc_ap_json(trained_run):
    """Same APs as the test itself wrote, from scores and labels alone; bounds around them."""
    with open(trained_run.folder / 'voc_ap.json') as file:
        reports = {report['metric']: report for report in json.load(file)}
    for metric in ('voc07', 'voc10'):
        found = compare_tests([read_test(str(trained_run.folder))], metric, draws=100)
        report = reports[metric]
        assert found.aps[0].mean.value == pytest.approx(report['mAP'], abs=1e-12)
        for name, each in zip(found.classes, found.aps[0].classes, strict=True):
            ap = report['classes'][name]['ap']
            np.testing.assert_allclose(each.value, np.nan if ap is None else ap)
            assert np.isnan(each.value) or each.low <= each.value <= each.high


def test_rows_and_classes_are_paired_by_name():
    """Another order of images and of classes is the same test: a difference of 0 everywhere."""
    random = np.random.default_rng(0)
    values, labels = random.random((20, 3)), random.integers(-1, 2, (20, 3))
    ids, classes = [f'i{n}' for n in range(20)], ['a', 'b', 'c']
    rows, columns = random.permutation(20), [2, 0, 1]
    take = np.ix_(rows, columns)
    first = ScoredRun('first', Scores(ids, classes, values), labels)
    shuffled = Scores([ids[n] for n in rows], [classes[k] for k in columns], values[take])
    second = ScoredRun('second', shuffled, labels[take])
    np.testing.assert_array_equal(in_order_of(first, second), values)
    found = compare_tests([first, second], 'voc10', draws=100)
    assert found.difference is not None and found.difference.mean == (0, 0, 0)
    assert '0.0' in comparison_lines(found)[-2] and '*' not in comparison_lines(found)[-2]


def test_a_table_in_another_order_of_classes_is_refused(copy):
    """Its columns would be scored with the labels of other classes."""
    run = copy('swapped', lambda table: [[row[0], *row[:0:-1]] for row in table])
    with pytest.raises(UserError, match='another order of them'):
        read_test(run)


def test_tests_that_do_not_pair_are_refused(trained_run, copy):
    """Other images, classes or labels: both runs are named, and what differs."""
    first = read_test(str(trained_run.folder))
    fewer = read_test(copy('fewer', lambda table: table[:-2]))
    with pytest.raises(UserError, match=rf'{first.name} alone has 2: .*{first.scores.ids[-1]}'):
        in_order_of(first, fewer)
    renamed = first.scores._replace(classes=['other', *first.scores.classes[1:]])
    with pytest.raises(UserError, match='other classes.*other'):
        in_order_of(first, first._replace(name='b', scores=renamed))
    labels = first.labels.copy()
    labels[3, 0] *= -1
    with pytest.raises(UserError, match=f'1 images have other labels .*{first.scores.ids[3]}'):
        in_order_of(first, first._replace(labels=labels))


def test_the_command(trained_run, copy, capsys, tmp_path):
    """Two runs: the table with A, B and B - A; the same figures in JSON; three runs are refused."""
    noise = np.random.default_rng(1)
    other = copy(
        'noise',
        lambda table: [
            table[0],
            *([row[0], *map(str, noise.random(len(row) - 1))] for row in table[1:]),
        ],
    )
    runs = [str(trained_run.folder), other]
    main(['compare', *runs, '--draws', '100', '--json', str(tmp_path / 'out.json')])
    lines = capsys.readouterr().out.splitlines()
    assert f'A: {runs[0]}' in lines and f'B: {runs[1]}' in lines
    found = json.loads((tmp_path / 'out.json').read_text())
    mean = next(line for line in lines if line.startswith('mean'))
    assert f'{100 * found["difference"]["mean"]["value"]:+.1f}' in mean
    assert [run['run'] for run in found['runs']] == runs and found['images'] == 12
    with pytest.raises(SystemExit) as ended:
        main(['compare', *runs, other])
    assert ended.value.code == 1 and 'two at a time' in capsys.readouterr().err
