"""Measured figures are files of results/; the tables of README and docs are made from them."""

import glob
import json
import os.path as osp

import pytest
from mmengine.fileio import load

from tests.support.docs_pages import Block, command_problem, commands
from tests.support.runs import CONFIGS
from tests.support.tool_module import load_tool

ROOT = osp.dirname(CONFIGS)
RESULTS = osp.join(ROOT, 'results')
ROWS = sorted(
    osp.relpath(path, RESULTS).removesuffix('.json')
    for path in glob.glob(osp.join(RESULTS, '*', '*.json'))
)
KEYS = {
    'method', 'dataset', 'figures', 'config', 'commands', 'commit', 'documented_in', 'machine',
    'weights', 'paper', 'notes',
}  # fmt: skip


@pytest.fixture(scope='module')
def make_tables():
    return load_tool('make_tables')


def read_row(name):
    with open(osp.join(RESULTS, f'{name}.json'), encoding='utf-8') as file:
        return json.load(file)


def test_pages_hold_the_tables_that_the_script_makes(make_tables):
    """A figure that is changed in a page or in results/ alone is found."""
    tables = make_tables.read_json('tables.json')
    for page in make_tables.pages():
        with open(page, encoding='utf-8') as file:
            text = file.read()
        assert make_tables.page_text(text, tables) == text, f'{page}: run make_tables.py'


def test_every_table_stands_in_a_page(make_tables):
    """tables.json describes no table that no page shows."""
    shown = set()
    for page in make_tables.pages():
        with open(page, encoding='utf-8') as file:
            shown |= {name for _, name, _ in make_tables.MARKED.findall(file.read())}
    assert shown == set(make_tables.read_json('tables.json'))


@pytest.mark.parametrize('name', ROWS)
def test_a_row_says_what_was_measured(name):
    """All keys are there (unknown: null); mean and range agree; config and commands exist."""
    row = read_row(name)
    assert set(row) == KEYS
    assert row['config'] is None or osp.isfile(osp.join(ROOT, row['config']))
    assert row['figures'] or row['paper'], 'neither a figure nor the figure of the paper'
    assert row['documented_in'] is None or all(row['documented_in'].values()), 'known in part'
    for text in row['commands']:
        for words in commands(Block('bash', text)):
            assert command_problem(words) is None
    for metric, figure in row['figures'].items():
        low, high = figure['range'] or (figure['value'], figure['value'])
        assert low <= figure['value'] <= high, metric
        assert figure['range'] is None or figure['n'] > 1, metric
        assert len(figure['seeds'] or ()) in (0, figure['n']), metric


def test_bold_marks_the_largest_figure_of_a_column(make_tables, monkeypatch):
    """Mean, range, dash and bold of a table made from three rows."""
    rows = {
        'a.json': dict(method='votes', figures={'AP': dict(value=94.1, range=[94.0, 94.25])}),
        'b.json': dict(method='whole', figures={'AP': dict(value=89.0, range=None)}),
        'c.json': dict(method='none', figures={}),
    }
    monkeypatch.setattr(make_tables, 'read_json', rows.__getitem__)
    table = dict(columns=['AP'], metrics=['AP'], rows=[dict(cells=[c]) for c in 'abc'])
    assert make_tables.table_text(table).splitlines() == [
        '|  | AP |',
        '|---|---|',
        '| votes | **94.1** (94.0–94.2) |',
        '| whole | 89.0 |',
        '| none | – |',
    ]


@pytest.fixture(scope='module')
def models():
    """Every model of the metafiles that model-index.yml imports."""
    index = load(osp.join(ROOT, 'model-index.yml'))
    return [model for path in index['Import'] for model in load(osp.join(ROOT, path))['Models']]


def test_every_config_has_a_model(models):
    """The model index names every config for users once, under the name of its file."""
    leaves = [
        *glob.glob(osp.join(CONFIGS, '*.py')),
        *glob.glob(osp.join(CONFIGS, 'mixing', '*.py')),
    ]
    configs = [model['Config'] for model in models]
    assert sorted(configs) == sorted(osp.relpath(path, ROOT) for path in leaves)
    assert all(osp.basename(model['Config']) == f'{model["Name"]}.py' for model in models)


def test_figures_of_models_are_measured_rows(models):
    """A figure of the model index is that of a row of results/ with the same config."""
    rows = [read_row(name) for name in ROWS]
    for model in models:
        for result in model['Results'] or ():
            for metric, value in result['Metrics'].items():
                found = [
                    figure['value']
                    for row in rows
                    if row['config'] == model['Config']
                    for name, figure in row['figures'].items()
                    if name.startswith(metric)
                ]
                assert value in found, (model['Name'], metric)


def test_weights_of_models_are_public(models):
    """A file that is named ships with the package."""
    files = [model['Weights'] for model in models if 'Weights' in model]
    assert files and all(osp.isfile(osp.join(ROOT, file)) for file in files)


def test_lists_of_ids_agree():
    """Unique and sorted; train and val make trainval; test is disjoint; the slice is a part."""

    def ids(name):
        with open(osp.join(CONFIGS, '_base_', 'datasets', f'{name}.txt'), encoding='utf-8') as file:
            found = file.read().split()
        assert found == sorted(set(found)), name
        return set(found)

    train, val, trainval, test = (
        ids(f'voc07_subset/{split}') for split in ('train', 'val', 'trainval', 'test')
    )
    assert (len(train), len(val), len(test)) == (482, 460, 965)
    assert train | val == trainval and not train & val and not trainval & test
    assert ids('voc07_slice/trainval') < trainval and ids('voc07_slice/test') < test
    assert (len(ids('voc12_subset/train')), len(ids('voc12_subset/val'))) == (250, 250)
    assert not ids('voc12_subset/train') & ids('voc12_subset/val')
