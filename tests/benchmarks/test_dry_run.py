"""`tools/train.py --dry-run`: one batch through the real model, and nothing left behind."""

import re

import pytest
from mmengine.registry import init_default_scope

from tcnn_mm.benchmarks.dry_run import dry_run, hours
from tests.support.runs import small_config


def said(cfg, capsys):
    init_default_scope('mmpretrain')
    dry_run(cfg)
    return capsys.readouterr().out


def small(tmp_path, name, **options):
    few = {'train_dataloader.num_workers': 0, 'train_dataloader.persistent_workers': False}
    return small_config(tmp_path / 'run', name, images=6, **few, **options)


def test_online_training(tmp_path, capsys):
    """Labels, coverage, loss, memory and time; the loss is that of untrained layers."""
    text = said(small(tmp_path, 'tcnn_minivoc.py'), capsys)
    assert '6 training images, 6 classes' in text and 'patch coverage of 6 images' in text
    loss = float(re.search(r'loss ([\d.]+)', text).group(1))
    assert 0.3 < loss < 3 and re.search(r'peak memory \d+\.\d+ GB', text)
    assert 'training: 2 epochs of 2 steps' in text and 'bank' not in text
    assert not (tmp_path / 'run').exists()


@pytest.mark.parametrize('weak', [False, pytest.param(True, marks=pytest.mark.slow)])
def test_missing_banks_are_estimated_and_not_made(weak, tmp_path, capsys):
    """Their time and size are told beside the training's; of bags for weak training too."""
    cfg = small(tmp_path, 'tcnn_minivoc_weak.py' if weak else 'tcnn_minivoc.py')
    for role in ('train', 'test'):
        loader = cfg[f'{role}_dataloader']
        loader.dataset = dict(
            type='tcnn_mm.FeatureBank',
            bank=str(tmp_path / role),
            source=loader.dataset,
            test_mode=weak or role == 'test',
        )
        loader.update(num_workers=0, persistent_workers=False)
    text = said(cfg, capsys)
    assert re.search(r'bank train: .*\nbank test: .*GB of disk', text)
    assert 'with the banks' in text and 'loss' in text
    assert not (tmp_path / 'train').exists() and not (tmp_path / 'test').exists()


@pytest.mark.parametrize('seconds, text', [(3, '3 s'), (600, '10 min'), (7200, '2.0 h')])
def test_hours(seconds, text):
    assert hours(seconds) == text
