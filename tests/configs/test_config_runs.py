"""Every config with a `run` in the table trains a step and tests, on images of MiniVOC's size."""

import json
import os.path as osp

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS as MMENGINE_MODELS
from mmengine.registry import init_default_scope

from tcnn_mm.checkpoints.loading import load_safely
from tcnn_mm.datasets.voc import VOC_CLASSES
from tcnn_mm.datasets.voc_action import ACTIONS
from tcnn_mm.engine.build_bank import build_banks
from tcnn_mm.engine.load_config import load_config
from tcnn_mm.evaluation.result_files import read_results
from tcnn_mm.models import TorchvisionBackbone, TransferAlexNet
from tcnn_mm.registry import MODELS
from tests.support.action_folder import draw_persons, write_action_folder
from tests.support.config_table import ALL, MOBILENET, ROWS, SMALL_NETS, SQUEEZENET
from tests.support.runs import CONFIGS, test, train
from tests.support.voc_folder import write_voc_folder

VARIANTS = {
    'alexnet-owt-7be5be79.pth': 'torchvision',
    'source_1000r.pth': 'krizhevsky',
    'source_1512.pth': 'krizhevsky',
}
SMALL = {
    'log_level': 'ERROR',
    'train_cfg.max_epochs': 1,
    'param_scheduler.milestones': [1],
    'default_hooks.checkpoint.interval': 1,
    'train_dataloader.num_workers': 0,
    'train_dataloader.persistent_workers': False,
    'test_dataloader.num_workers': 0,
    'test_dataloader.persistent_workers': False,
    'test_dataloader.batch_size': 2,
}


@pytest.fixture(scope='module')
def drawn(tmp_path_factory):
    """(data, weights): VOCdevkit/VOC2012 with objects and persons (VOC2007 is the same), and
    files of random weights."""
    data, weights = (tmp_path_factory.mktemp(name) for name in ('data', 'weights'))
    root = data / 'VOCdevkit' / 'VOC2012'
    persons = draw_persons(0, 6)
    ids = list(persons)
    lists = dict(train=ids[:3], val=ids[3:], trainval=ids, test=ids[3:])
    write_action_folder(root, persons, lists)
    objects = {}
    for at, (image, things) in enumerate(draw_persons(1, 6).values()):
        named = [dict(thing, name=VOC_CLASSES[(at + k) % 20]) for k, thing in enumerate(things)]
        objects[f'2008_{at:06d}'] = (image, named)
    ids = list(objects)
    lists = dict(train=ids[:3], val=ids[3:], trainval=ids, test=ids[3:])
    write_voc_folder(root, objects, lists)
    (data / 'VOCdevkit' / 'VOC2007').symlink_to(root)
    torch.manual_seed(0)
    for name, variant in VARIANTS.items():
        network = TransferAlexNet(variant, fc_channels=64)
        network.init_weights()
        # A run of ours saves a classifier, torchvision the bare network.
        state = network.state_dict()
        if variant == 'krizhevsky':
            state = dict(state_dict={f'backbone.{k}': v for k, v in state.items()}, meta={})
        torch.save(state, weights / name)
    for name, file in (('mobilenet_v2', MOBILENET), ('squeezenet1_0', SQUEEZENET)):
        torch.save(TorchvisionBackbone(name).extractor.state_dict(), weights / file)
    return data, weights


def write_foreign(backbone, path):
    """Random weights of a backbone: timm publishes the bare network, mmpretrain classifiers."""
    network = MMENGINE_MODELS.build(backbone)
    if hasattr(network, 'timm_model'):
        torch.save(network.timm_model.state_dict(), path)
    else:
        state = {f'backbone.{key}': value for key, value in network.state_dict().items()}
        torch.save(dict(state_dict=state, meta={}), path)


RUNS = [
    pytest.param(name, marks=[pytest.mark.slow] if row['slow'] else [])
    for name, row in ROWS.items()
    if row['run'] is not None
]


@pytest.mark.parametrize('name', RUNS)
def test_a_step_and_a_test(name, drawn, tmp_path, monkeypatch):
    """Weights arrive, exactly the named parameters move, results and scores are written."""
    row = ROWS[name]
    if row['needs']:
        pytest.importorskip(row['needs'])
    data, weights = drawn
    monkeypatch.setenv('TCNN_DATA', str(data))
    monkeypatch.setenv('TCNN_WEIGHTS', str(weights))

    def config():
        cfg = Config.fromfile(osp.join(CONFIGS, name))
        options = {**SMALL, **row['run']}
        if not cfg.get('param_scheduler'):  # PlateauStages has it
            del options['param_scheduler.milestones']
        cfg.merge_from_dict(options)
        cfg.work_dir, cfg.experiment_name = str(tmp_path), f'{tmp_path.name}_{id(cfg)}'
        for part in ('train', 'test'):
            loader = cfg[f'{part}_dataloader']
            if loader.dataset.type == 'tcnn_mm.FeatureBank':
                loader.dataset.bank = str(tmp_path / f'{part}_bank')
            else:  # mmengine's serialising collects garbage for 0.3 s
                loader.dataset.serialize_data = False
        return cfg

    cfg = config()
    init_default_scope(cfg.default_scope)
    if row['pretrained'] in SMALL_NETS:
        write_foreign(cfg.model.backbone, weights / row['pretrained'])
    build_banks(cfg)
    checkpoint = train(cfg)
    state, moved = checkpoint['state_dict'], row['trains']
    if row['pretrained']:
        before = load_safely(weights / row['pretrained'])
        before = before.get('state_dict', {f'backbone.{k}': v for k, v in before.items()})
        for key, value in before.items():
            if key not in state:  # a wrapper keeps the network under a name of its own
                bare = key.removeprefix('backbone.')
                (key,) = (k for k in state if k.split('.', 2)[2:] == [bare])
            if 'num_batches' not in key:
                assert torch.equal(state[key], value) == (key not in moved), key
    counts = len(state) if moved == ALL else len(moved)
    assert len(checkpoint['optimizer']['state']) == counts
    assert checkpoint['meta']['tcnn_mm']['sampler']['type'] == row['sampler']

    metrics = test(config(), tmp_path / 'epoch_1.pth')
    reports = json.loads((tmp_path / 'voc_ap.json').read_text())
    others = dict(VOCActionAP='voc_action', PointLocalization='point')
    prefixes = [others.get(metric, metric) for metric in row['metrics']]
    assert [report['metric'] for report in reports] == prefixes
    assert {f'{prefix}/mAP' for prefix in prefixes} <= set(metrics)
    rows = (tmp_path / 'image_scores.csv').read_text().splitlines()
    items = reports[0].get('persons', reports[0]['images'])
    assert len(rows) == 1 + items >= 4
    assert len(rows[0].split(',')) == 1 + row['outputs'] - (row['sampler'] == 'PatchSampler')


@pytest.mark.parametrize(
    'name, archive, lines',
    [
        ('tcnn_voc12.py', 'results_comp2_test.tar.gz', 3),
        ('tcnn_voc12_action_no-pretrain.py', 'results_comp9_test.tar.gz', None),
    ],
)
def test_for_the_server(name, archive, lines, drawn, tmp_path, monkeypatch):
    """--server leaves the archive of test, with every score of the table; no AP is claimed."""
    data, weights = drawn
    for key, value in dict(TCNN_DATA=data, TCNN_WEIGHTS=weights, LOCAL_RANK='0').items():
        monkeypatch.setenv(key, str(value))
    cfg = load_config(osp.join(CONFIGS, name), server=True, work_dir=str(tmp_path))
    cfg.merge_from_dict({**SMALL, **ROWS[name]['run']})
    cfg.experiment_name = f'{tmp_path.name}_{id(cfg)}'
    cfg.train_dataloader = cfg.train_cfg = cfg.optim_wrapper = cfg.param_scheduler = None
    # Untrained: it is about the files.
    model = MODELS.build(dict(cfg.model, pretrained=None))
    torch.save(dict(state_dict=model.state_dict(), meta={}), tmp_path / 'new.pth')
    found = test(cfg, tmp_path / 'new.pth')
    assert json.loads((tmp_path / 'voc_ap.json').read_text()) == []
    rows = (tmp_path / 'image_scores.csv').read_text().splitlines()
    assert found == {'submission/items': len(rows) - 1} and len(rows) - 1 >= 3
    assert lines in (None, len(rows) - 1)
    ((comp_split, results),) = read_results(str(tmp_path / archive)).items()
    assert comp_split == (ROWS[name]['server'], 'test')
    assert set(results) == set(VOC_CLASSES if lines else ACTIONS)
    head = rows[0].split(',')
    for row in rows[1:]:
        key, *scores = row.split(',')
        for class_name, score in zip(head[1:], scores, strict=True):
            if class_name in results:
                assert results[class_name][tuple(key.split('/'))] == float(score)
