"""Actions from end to end on drawn persons: what is learnt, and that the boxes are what counts."""

import os.path as osp

import numpy as np
import pytest
from mmengine.config import Config

from tests.support.action_folder import draw_persons, write_action_folder
from tests.support.runs import CONFIGS, test, train

# MiniVOC's source network knows the shapes of which the "persons" are drawn.
OPTIONS = {
    'model.backbone': dict(_delete_=True, type='tcnn_mm.TransferAlexNet', variant='small'),
    'model.head.in_channels': 256,
    'model.head.hidden_channels': 128,
    'model.head.dropout': 0.2,
    'model.pretrained': 'tcnn_mm://minivoc_source.pth',
    'optim_wrapper.optimizer.lr': 0.1,
    'train_dataloader.batch_size': 16,
    'train_dataloader.num_workers': 0,
    'train_dataloader.persistent_workers': False,
    'test_dataloader.num_workers': 0,
    'test_dataloader.persistent_workers': False,
    'train_cfg.max_epochs': 6,
    'param_scheduler.milestones': [4, 5],
    'log_level': 'ERROR',
}


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    """A folder with 50 + 24 scenes of one or two persons."""
    root = tmp_path_factory.mktemp('actions')
    train_part, val_part = draw_persons(1, 50, several=3), draw_persons(2, 24)
    lists = dict(train=list(train_part), val=list(val_part))
    write_action_folder(root / 'VOCdevkit' / 'VOC2012', {**train_part, **val_part}, lists)
    return root


@pytest.fixture
def config(data, tmp_path, monkeypatch):
    monkeypatch.setenv('TCNN_DATA', str(data))

    def make(**options):
        cfg = Config.fromfile(osp.join(CONFIGS, 'tcnn_voc12_action.py'))
        cfg.merge_from_dict({**OPTIONS, **options})
        cfg.work_dir, cfg.experiment_name = str(tmp_path), f'{tmp_path.name}_{id(cfg)}'
        return cfg

    return make


def test_actions_are_learnt_from_boxes(config, tmp_path):
    """tcnn_voc12_action on a small network: far above chance, and not without the right box."""
    checkpoint = train(config())
    assert checkpoint['meta']['tcnn_mm']['sampler'] == dict(
        type='ObjectSquareSampler', side='max', margin=0.0
    )
    ap = test(config(), tmp_path / 'epoch_6.pth')['voc_action/mAP']
    # A square so large that it shows the whole scene does not tell one person from the other.
    larger = {'model.sampler.margin': 3.0, 'allowed_differences': ['sampler']}
    lost = test(config(**larger), tmp_path / 'epoch_6.pth')
    assert ap > 75 and lost['voc_action/mAP'] < ap - 20
    rows = [line.split(',') for line in (tmp_path / 'image_scores.csv').read_text().splitlines()]
    assert rows[0][-1] == 'other' and len({row[0] for row in rows}) == len(rows)
    sums = np.array([[float(x) for x in row[1:]] for row in rows[1:]]).sum(1)
    np.testing.assert_allclose(sums, 1, atol=1e-5)
