"""`tools/train.py --dry-run`: one batch through the real model, and nothing left behind."""

import re
import shutil

import pytest
from mmengine.registry import init_default_scope

from tcnn_mm.benchmarks.dry_run import dry_run, hours
from tcnn_mm.engine.build_bank import build_banks
from tcnn_mm.engine.open_runner import open_runner
from tcnn_mm.errors import UserError
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


def damaged_checkpoint(cfg, folder):
    (folder / 'half.pth').write_bytes(b'PK\x03\x04half')
    cfg.update(resume=True, load_from=str(folder / 'half.pth'))


def wrong_classes(cfg, folder):
    cfg.model.head.num_classes = 5


def no_metric_of_ours(cfg, folder):
    cfg.val_dataloader, cfg.val_cfg = cfg.test_dataloader, dict()
    cfg.val_evaluator = dict(type='mmpretrain.MultiLabelMetric')


def folder_of_another_thing(cfg, folder):
    (folder / 'bank').mkdir()
    (folder / 'bank' / 'file').touch()
    loader = cfg.train_dataloader
    loader.dataset = dict(
        type='tcnn_mm.FeatureBank', bank=str(folder / 'bank'), source=loader.dataset
    )


def no_weights(cfg, folder):
    cfg.model.pretrained = str(folder / 'none.pth')


def schedule_beside_stages(cfg, folder):
    cfg.custom_hooks = [*cfg.custom_hooks, dict(type='tcnn_mm.PlateauStages')]


def file_as_work_dir(cfg, folder):
    (folder / 'file').touch()
    cfg.work_dir = str(folder / 'file')


REFUSED = [
    damaged_checkpoint, wrong_classes, no_metric_of_ours, folder_of_another_thing, no_weights,
    schedule_beside_stages, file_as_work_dir,
]  # fmt: skip


@pytest.mark.parametrize('spoil', REFUSED, ids=lambda f: f.__name__)
def test_it_refuses_what_training_would_refuse(spoil, tmp_path):
    """The same words; and nothing is made."""
    messages = []
    for run in (train_it, dry_run):
        place = tmp_path / run.__name__
        place.mkdir()
        cfg = small(place, 'tcnn_minivoc.py')
        spoil(cfg, place)
        before = sorted(place.rglob('*'))
        init_default_scope('mmpretrain')
        with pytest.raises((UserError, OSError)) as error:
            run(cfg)
        said = error.value.strerror if isinstance(error.value, OSError) else str(error.value)
        messages.append(said.replace(str(place), 'PLACE'))
        if run is dry_run:
            assert sorted(place.rglob('*')) == before
    assert messages[0] == messages[1]


def train_it(cfg):
    """What `tcnn train` runs."""
    build_banks(cfg)
    with open_runner(cfg) as runner:
        runner.train()


def test_it_resumes_as_training_would_and_leaves_the_work_dir(trained_run, tmp_path, capsys):
    """The newest checkpoint is read; a training by iterations is told in steps."""
    shutil.copytree(trained_run.folder, tmp_path / 'run')
    cfg = trained_run.config(tmp_path / 'run', epochs=3)
    cfg.resume = True
    before = sorted((tmp_path / 'run').rglob('*'))
    text = said(cfg, capsys)
    assert 'training: 3 epochs of 3 steps' in text
    assert sorted((tmp_path / 'run').rglob('*')) == before
    cfg = trained_run.config(tmp_path / 'new')
    cfg.train_cfg = dict(type='IterBasedTrainLoop', max_iters=7, val_interval=100)
    cfg.param_scheduler = None
    assert 'training: 7 steps' in said(cfg, capsys)
