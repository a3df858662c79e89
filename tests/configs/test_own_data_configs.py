"""The configs of COCO annotations and of image labels train an epoch and test, on drawn data."""

import json
import os.path as osp

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from tcnn_mm.engine.build_bank import build_banks
from tcnn_mm.models import TorchvisionBackbone
from tests.support.config_table import MOBILENET
from tests.support.own_data import coco, drawn, write_images
from tests.support.runs import CONFIGS, test, train

SMALL = {
    'log_level': 'ERROR',
    'model.head.num_classes': 2,
    'model.head.hidden_channels': 16,
    'train_cfg.max_epochs': 1,
    'param_scheduler.milestones': [1],
}


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    """TCNN_DATA with coco and image_list, and the weights in the same folder."""
    root = tmp_path_factory.mktemp('own')
    for part, numbers in (('train2017', range(4)), ('val2017', range(4, 8))):
        write_images(root / 'coco' / part)
        path = root / 'coco' / 'annotations' / f'instances_{part}.json'
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(coco(list(numbers))))
    write_images(root / 'image_list')
    for part, images in (('train', drawn()[:4]), ('test', drawn()[4:])):
        rows = [f'{name}.png,{class_name}' for name, _, class_name, _ in images]
        (root / 'image_list' / f'{part}.csv').write_text('\n'.join(rows))
    torch.manual_seed(0)
    torch.save(TorchvisionBackbone('mobilenet_v2').extractor.state_dict(), root / MOBILENET)
    return root


@pytest.mark.parametrize('name', ['coco', pytest.param('image_list', marks=pytest.mark.slow)])
def test_trains_an_epoch_and_tests(name, data, tmp_path, monkeypatch):
    """From the config as it is, but for fewer scales: results of both classes are written."""
    monkeypatch.setenv('TCNN_DATA', str(data))
    monkeypatch.setenv('TCNN_WEIGHTS', str(data))

    def config():
        cfg = Config.fromfile(osp.join(CONFIGS, f'mixing/tcnn_mobilenetv2_{name}.py'))
        few = {'model.sampler.grid.scales': [1.0]}
        if name == 'image_list':
            few = {'model.sampler.factors': [0.5]}
            for loader in (cfg.train_dataloader.dataset.source, cfg.test_dataloader.dataset):
                loader.metainfo.classes = ('blue', 'red')
        cfg.merge_from_dict({**SMALL, **few, 'train_dataloader.dataset.bank': f'{tmp_path}/bank'})
        cfg.work_dir, cfg.experiment_name = str(tmp_path), f'{tmp_path.name}_{id(cfg)}'
        return cfg

    cfg = config()
    init_default_scope(cfg.default_scope)
    build_banks(cfg)
    train(cfg)
    test(config(), tmp_path / 'epoch_1.pth')
    report = json.loads((tmp_path / 'voc_ap.json').read_text())[0]
    assert set(report['classes']) == {'blue', 'red'} and report['images'] == 4
