"""One minute of everything in one process: nothing that is counted grows."""

import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import psutil
import pytest
from PIL import Image

from tests.soak.plot import plot_usage
from tests.soak.soak import read_usage
from tests.soak.usage import Usage, measure_usage
from tests.support.commands import ROOT


def test_usage_counts_what_is_held(tmp_path, monkeypatch):
    """An open file, a child process, a temporary file and a shared tensor are each seen."""
    import torch

    monkeypatch.setattr(tempfile, 'tempdir', str(tmp_path))
    before = measure_usage(0, 0, 0)
    child = subprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE)
    tensor = torch.zeros(2**20).share_memory_()
    with open(tmp_path / 'a', 'w'):
        during = measure_usage(1, 1, 0)
    child.communicate()
    assert during.children == before.children + 1
    assert during.temporary_files == before.temporary_files + 1 == 1
    assert during.handles >= before.handles + 2
    if os.path.isdir('/dev/shm'):
        assert during.shared_mb >= before.shared_mb + 4 * tensor.numel() / 2**20
    assert psutil.Process().memory_info().rss / 2**20 > 50 and during.rss_mb > 50


def test_the_plot_shows_each_resource(tmp_path):
    """A PNG of a size that a page takes."""
    rows = [dict(zip(Usage._fields, [60.0 * i, i, 900, 11, 2, 0, 0, 0, 5e5, i], strict=True))
            for i in range(20)]  # fmt: skip
    plot_usage(rows, tmp_path / 'usage.png')
    with Image.open(tmp_path / 'usage.png') as image:
        assert np.asarray(image).std() > 10
    assert (tmp_path / 'usage.png').stat().st_size < 60_000


@pytest.mark.slow
def test_a_minute_of_everything(tmp_path):
    """At least 5 cycles in a process of its own: status 0, a row per cycle, all columns judged."""
    done = subprocess.run(
        [sys.executable, '-m', 'tests.soak.soak', '--minutes', '1', '--out', str(tmp_path / 'out')],
        cwd=ROOT, capture_output=True, text=True, timeout=1800,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-2000:]
    rows = read_usage(tmp_path / 'out' / 'usage.csv')
    assert len(rows) >= 5 and rows[-1]['images'] == 29 * len(rows)
    judged = json.loads((tmp_path / 'out' / 'growth.json').read_text())
    assert {each['name'] for each in judged} == {*Usage._fields} - {'seconds', 'cycle', 'images'}
    counted = ('handles', 'threads', 'children', 'temporary_files')
    assert {each['name']: each['verdict'] for each in judged if each['name'] in counted} == (
        dict.fromkeys(counted, 'flat')
    )
    assert (tmp_path / 'out' / 'usage.png').is_file()
