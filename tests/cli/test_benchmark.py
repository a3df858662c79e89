"""The benchmark's table has every mode, honest counts and scores that agree."""

import json

import pytest

from tcnn_mm.benchmarks.benchmark import image_paths, table
from tcnn_mm.errors import UserError
from tests.support.commands import run_fresh


@pytest.mark.slow
def test_the_table(tmp_path):
    """One embedded image, one round: all modes, JSON as documented, crop = naive in scores."""
    arguments = ('--limit', 1, '--repeats', 1, '--json', 'b.json')
    done = run_fresh('tcnn', 'benchmark', *arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    result = json.loads((tmp_path / 'b.json').read_text())
    rows = {row['mode']: row for row in result['test'] if row['device'] == 'cpu'}
    assert {'naive', 'crop', 'crop-bf16', 'dense', 'dense-bf16', 'ceiling'} <= set(rows)
    assert rows['naive']['ratio_to_naive'] == 1
    assert rows['crop']['patches_per_image'] == rows['naive']['patches_per_image'] >= 400
    assert rows['crop']['largest_score_difference'] < 1e-4
    assert all(0 < rows[m]['map_share'] < 1 for m in ('crop', 'dense', 'dense-bf16'))
    assert 0 < rows['crop']['share_of_ceiling'] < 1.5 and rows['crop']['peak_mb'] > 100
    trained = {(r['network'], r['mode']) for r in result['train'] if r['device'] == 'cpu'}
    modes = {'online', 'online-bf16', 'bank', 'head'}
    assert trained == {(n, m) for n in ('alexnet', 'mobilenet_v2') for m in modes}
    assert result['loader']['images_per_s'] > 0 and result['machine']['threads'] >= 1


def test_a_table_of_rows():
    """What a row lacks is a dash; numbers have four digits; the device is no column."""
    rows = [dict(mode='a', seconds=1.23456, device='cpu'), dict(mode='b', device='cpu')]
    lines = table(rows)
    assert [line.split() for line in lines] == [['mode', 'seconds'], ['a', '1.235'], ['b', '–']]


def test_a_folder_without_images(tmp_path):
    """The folder is named; of many files the first are taken."""
    with pytest.raises(UserError, match='--images .*: no images there'):
        image_paths(str(tmp_path), 3)
    for name in 'cab':
        (tmp_path / name).write_bytes(b'')
    assert image_paths(str(tmp_path), 2) == [str(tmp_path / 'a'), str(tmp_path / 'b')]
