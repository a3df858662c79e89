"""The benchmark's table has every mode, honest counts and scores that agree."""

import json
import subprocess
import sys

import pytest

from tests.support.tool_module import tool_path


@pytest.mark.slow
def test_the_table(tmp_path):
    """One embedded picture, one round: all modes, JSON as documented, crop = naive in scores."""
    tool = tool_path('benchmark')
    done = subprocess.run(
        [sys.executable, tool, '--limit', '1', '--repeats', '1', '--json', 'b.json'],
        cwd=tmp_path, capture_output=True, text=True, timeout=900,
    )  # fmt: skip
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
