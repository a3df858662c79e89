"""The embedded data's claims, by their recipes: minutes each, run by `make test-slow`."""

import os
import os.path as osp
import re
import subprocess
import sys

import pytest

import tcnn_mm
from tests.support.runs import CONFIGS
from tests.support.tool_module import tool_path

SHIPPED = osp.join(osp.dirname(tcnn_mm.__file__), 'models', 'weights', 'minivoc_source.pth')


def run(tool, *arguments, cwd):
    done = subprocess.run(
        [sys.executable, tool_path(tool), *map(str, arguments)],
        cwd=cwd, capture_output=True, text=True, timeout=3600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def figure(text, key):
    """The last `key: number` of a log."""
    return float(re.findall(rf'{re.escape(key)}: ([0-9.]+)', text)[-1])


def test_the_shipped_source_network_is_small():
    """The file that ships stays under 3 MB."""
    assert os.path.getsize(SHIPPED) < 3e6


@pytest.mark.slow
def test_the_recipe_rebuilds_the_source_network(tmp_path):
    """configs/source_minivoc.py from scratch lands within 2 points of the file that ships."""
    config = osp.join(CONFIGS, 'source_minivoc.py')
    shipped = figure(run('test.py', config, SHIPPED, cwd=tmp_path), 'accuracy/top1')
    run('train.py', config, '--work-dir', 'w', cwd=tmp_path)
    checkpoint = (tmp_path / 'w' / 'last_checkpoint').read_text().strip()
    rebuilt = figure(run('test.py', config, checkpoint, cwd=tmp_path), 'accuracy/top1')
    assert abs(rebuilt - shipped) <= 2


@pytest.mark.slow
def test_the_demo_reaches_its_figure(tmp_path):
    """tcnn_minivoc as shipped: at least 80 voc10 mAP on the test scenes."""
    config = osp.join(CONFIGS, 'tcnn_minivoc.py')
    run('train.py', config, '--work-dir', 'w', cwd=tmp_path)
    log = run('test.py', config, 'w/epoch_100.pth', '--work-dir', 'w', cwd=tmp_path)
    assert figure(log, 'voc10/mAP') >= 80


@pytest.mark.slow
def test_the_maps_point_at_the_objects(tmp_path):
    """tcnn_minivoc_bank: the maxima hit nine objects of ten, the middle of the image three."""
    config = osp.join(CONFIGS, 'tcnn_minivoc_bank.py')
    run('train.py', config, '--work-dir', 'w', cwd=tmp_path)
    log = run('test.py', config, 'w/epoch_90.pth', '--work-dir', 'w', cwd=tmp_path)
    assert figure(log, 'voc10/mAP') >= 90 and figure(log, 'point/hit_rate') >= 93
    assert figure(log, 'point/mAP') >= 86 and figure(log, 'point/centre_hit_rate') <= 35
