"""sweep_k, learning_curve and compare_pointing from the command line, on a little of MiniVOC."""

import json
import os.path as osp
import runpy
import sys

import numpy as np
import pytest
from mmengine.registry import MODELS
from PIL import Image

from tcnn_mm.evaluation.average_precision import voc_ap
from tests.support.runs import CONFIGS, small_config, train
from tests.support.tool_module import tool_path

ONLINE = osp.join(CONFIGS, 'tcnn_minivoc.py')
BANK = osp.join(CONFIGS, 'tcnn_minivoc_bank.py')
FEW = ['model.sampler.grid.scales=[1.0,2.0]', 'log_level=WARNING']


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory):
    """A head of three epochs on twelve scenes."""
    folder = tmp_path_factory.mktemp('trained')
    train(small_config(folder, epochs=3))
    return folder / 'epoch_3.pth'


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run a tool in this process, in a folder of its own; returns what it prints."""

    def call(tool, *arguments):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, 'argv', [tool, *map(str, arguments)])
        runpy.run_path(tool_path(tool), run_name='__main__')
        return capsys.readouterr().out

    return call


def test_sweep_k(run, checkpoint, tmp_path):
    """Chosen on val, by the stored pass; the table is what the stored scores give directly."""
    few = [*FEW, 'test_dataloader.dataset.indices=10']
    arguments = [ONLINE, checkpoint, '--work-dir', 'w', '--test', '--cfg-options', *few]
    printed = run('sweep_k.py', *arguments)
    result = json.loads((tmp_path / 'w' / 'sweep_k.json').read_text())
    rows = result['rows']
    assert len(rows) == 20 + 1 + 6 and f'{result["chosen"]} on the test data' in printed
    assert rows[result['chosen']]['mAP'] == max(row['mAP'] for row in rows.values())
    stored = np.load(tmp_path / 'w' / 'patch_scores_choose.npz')
    assert all(name.startswith('val') for name in stored['ids'])
    images = np.split(stored['scores'], stored['sizes'].cumsum()[:-1])
    for name in ('k=1', 'k=5', 'max'):
        way = {'max': lambda y: y.max(0), 'k=1': lambda y: y.mean(0)}
        way['k=5'] = lambda y: (y.astype(float) ** 5).mean(0)
        voted = np.stack([way[name](mine) for mine in images])
        aps = [voc_ap(voted[:, k], stored['labels'][:, k], 'voc10') for k in range(6)]
        assert rows[name]['mAP'] == pytest.approx(np.nanmean(aps), abs=1e-6)
        assert MODELS.build(rows[name]['aggregator'])
    assert np.asarray(Image.open(tmp_path / 'w' / 'sweep_k.png')).std() > 5
    before = (tmp_path / 'w' / 'patch_scores_choose.npz').stat().st_mtime_ns
    assert run('sweep_k.py', *arguments).splitlines()[-3:] == printed.splitlines()[-3:]
    assert (tmp_path / 'w' / 'patch_scores_choose.npz').stat().st_mtime_ns == before


def test_compare_pointing(run, checkpoint, tmp_path):
    """Votes, the middle and the activation map: the same images, all classes, bounded by AP."""
    few = ['train_dataloader.dataset.indices=12', 'test_dataloader.dataset.indices=12']
    printed = run(
        'compare_pointing.py', ONLINE, checkpoint, '--work-dir', 'w', '--cam-scales', 1.5,
        '--cfg-options', *FEW, *few,
    )  # fmt: skip
    ways = json.loads((tmp_path / 'w' / 'compare_pointing.json').read_text())['ways']
    assert list(ways) == ['votes', 'undamped', 'centre', 'CAM λ=1.5']
    assert all(name in printed for name in (*ways, 'fish', 'mean'))
    for way in ways.values():
        assert len(way['classes']) == 6 and 0 <= way['mAP'] <= 1 and 0 <= way['hit_rate'] <= 1
    assert ways['votes']['hit_rate'] > ways['centre']['hit_rate']


@pytest.mark.slow
def test_learning_curve(run, tmp_path):
    """Four methods, two fractions, two seeds; nested parts; a second call computes nothing."""
    banks = [
        f'train_dataloader.dataset.bank={tmp_path}/a', f'test_dataloader.dataset.bank={tmp_path}/b',
        'train_dataloader.dataset.source.indices=12', 'test_dataloader.dataset.source.indices=8',
    ]  # fmt: skip
    scratch = tmp_path / 'scratch.py'
    scratch.write_text(
        f"_base_ = '{osp.join(CONFIGS, 'tcnn_minivoc_no-pretrain.py')}'\n"
        'train_dataloader = dict(num_workers=0, persistent_workers=False)\n'
        'test_dataloader = dict(num_workers=0, persistent_workers=False, '
        'dataset=dict(indices=8))\n'
        'model = dict(sampler=dict(grid=dict(scales=(1.0, 2.0)), num_patches=2))\n'
    )
    arguments = [
        BANK, '--work-dir', 'w', '--fractions', '0.5,1', '--seeds', 2, '--min-steps', 30,
        '--scratch', scratch, '--scratch-minutes', 0.005, '--cfg-options', *FEW, *banks,
    ]  # fmt: skip
    printed = run('learning_curve.py', *arguments)
    curve = json.loads((tmp_path / 'w' / 'learning_curve.json').read_text())
    assert len(curve['runs']) == 4 * 2 * 2
    keys = {(r['method'], r['fraction'], r['seed']) for r in curve['runs']}
    assert len(keys) == len(curve['runs'])
    transfer = [r for r in curve['runs'] if r['method'] == 'transfer']
    assert {(r['fraction'], r['images']) for r in transfer} == {(0.5, 6), (1, 12)}
    assert all(r['steps'] >= 30 and 0 <= r['mAP'] <= 1 for r in transfer)
    part, whole = (
        set((tmp_path / 'w' / 'parts' / f'{f}_seed0.txt').read_text().split()) for f in ('0.5', '1')
    )
    assert len(part) == 6 and part < whole and len(whole) == 12
    assert all(method in printed for method in ('transfer', 'whole, LR', 'whole, head', 'scratch'))
    assert np.asarray(Image.open(tmp_path / 'w' / 'learning_curve.png')).std() > 5
    run('learning_curve.py', *arguments)
    again = json.loads((tmp_path / 'w' / 'learning_curve.json').read_text())
    assert again == curve
    with pytest.raises(SystemExit):
        run('learning_curve.py', *arguments[:8], 31, *arguments[9:])
