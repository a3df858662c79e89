"""Every shipped config is a record that runs: parts, sizes, data, what trains, and its header."""

import copy
import glob
import os.path as osp
import re

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope

from tcnn_mm.engine.load_config import load_config
from tests.support.config_table import ALL, OTHERS, ROWS
from tests.support.docs_pages import Block, command_problem, commands
from tests.support.runs import CONFIGS

FILES = sorted(
    osp.relpath(path, CONFIGS)
    for folder in ('', 'mixing')
    for path in glob.glob(osp.join(CONFIGS, folder, '*.py'))
)


def read(name):
    cfg = Config.fromfile(osp.join(CONFIGS, name))
    init_default_scope(cfg.default_scope)
    return cfg


def build(cfg):
    """The model as the config describes it, without weights."""
    # On no device: 6144-wide layers cost nothing. Dense mode measures its map with real numbers.
    device = 'cpu' if cfg.model.get('feature_mode') == 'dense' else 'meta'
    with torch.device(device):
        return MODELS.build(dict(cfg.model, pretrained=None))


def metric_names(evaluator):
    return [m.get('mode', m.type.split('.')[-1]) for m in evaluator]


def test_the_table_is_complete():
    """No config ships unchecked."""
    assert set(FILES) == set(ROWS) | OTHERS


@pytest.mark.parametrize('name', FILES)
def test_the_header_is_a_record(name):
    """One sentence (`tcnn configs list` shows it), the command, and what to expect."""
    with open(osp.join(CONFIGS, name), encoding='utf-8') as file:
        header = re.match(r'(#[^\n]*\n)+', file.read())[0]
    assert header.splitlines()[0].endswith('.')
    assert re.search(rf'^#   tcnn (train|test) {re.escape(name[:-3])}\b', header, re.M)
    assert '\n# Expected' in header
    typed = re.findall(r'^#  +((?:tcnn|python) (?:.*\\\n)*.*)', header.replace('…', ''), re.M)
    text = re.sub(r'\\\n# +', '', '\n'.join(typed))
    for words in commands(Block('bash', text)):
        assert command_problem(words) is None


@pytest.mark.parametrize('name', ROWS)
def test_parts_and_sizes(name):
    """Trainable parameters by name, outputs, FC width, sampler, scales, weights and constructor."""
    row, cfg = ROWS[name], read(name)
    if row['needs']:
        pytest.importorskip(row['needs'])
    model = build(cfg)
    names = {n for n, _ in model.named_parameters()}
    trainable = {n for n, p in model.named_parameters() if p.requires_grad}
    assert trainable == (names if row['trains'] == ALL else row['trains'])
    assert model.head.FCb.out_features == row['outputs']
    assert model.head.FCa.in_features == row['width']
    if hasattr(model.backbone, 'fc_channels'):
        assert model.backbone.fc_channels == row['width']
    assert type(model.sampler).__name__ == row['sampler']
    if row['sampler'] == 'PatchSampler':
        assert model.sampler.labeler.num_classes == row['outputs'] - 1 == model.head.num_classes
        assert model.sampler.grid.scales == (1, 1.3, 1.6, 2, 2.4, 2.8, 3.2, 3.6, 4)
        assert type(model.aggregator).__name__ == row['aggregator']
        assert getattr(model.aggregator, 'k', row['k']) == row['k']
        assert model.sampler.background_share == 0.1
    else:
        assert not model.head.background and row['outputs'] == model.head.num_classes
        assert model.aggregator.k == 1 and (model.sampler.side, model.sampler.margin) == ('max', 0)
    assert osp.basename(cfg.model.pretrained or '') == (row['pretrained'] or '')
    assert cfg.optim_wrapper.constructor == 'tcnn_mm.TrainableParams'


@pytest.mark.parametrize('name', ROWS)
def test_data_and_metrics(name):
    """Data sets with splits and views, the pipelines, and what is measured."""
    row, cfg = ROWS[name], read(name)
    for split in ('train', 'test'):
        dataset = cfg[f'{split}_dataloader'].dataset
        if dataset.type == 'tcnn_mm.FeatureBank':
            dataset = dataset.source
        found = {key: dataset.get(key) for key in row[split]}
        assert found == row[split]
        steps = [step.type for step in dataset.pipeline]
        assert steps == ['tcnn_mm.LoadVOCObjects', 'tcnn_mm.PackPatchInputs']
        if split == 'test':
            assert dataset.test_mode and not cfg.test_dataloader.sampler.shuffle
        else:
            assert not dataset.get('test_mode')
    assert metric_names(cfg.test_evaluator) == row['metrics']
    if cfg.model.sampler.get('num_patches') and row['width'] > 256:
        assert cfg.train_dataloader.batch_size * cfg.model.sampler.num_patches == 128


@pytest.mark.parametrize('name', ROWS)
def test_images_are_not_stacked(name):
    """mmpretrain's tools stack the images of a loader that names no collate function."""
    cfg = read(name)
    for part in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        if cfg.get(part):
            assert cfg[part].collate_fn == dict(type='tcnn_mm.pseudo_collate'), part


@pytest.mark.parametrize('name', [n for n, row in ROWS.items() if row['server']])
def test_the_server_part(name, monkeypatch):
    """--server: trainval → test without annotations, the files of the config's competition."""
    for key in ('TCNN_DATA', 'TCNN_WEIGHTS', 'LOCAL_RANK'):  # load_config sets them
        monkeypatch.setenv(key, '0')
    cfg, plain = load_config(osp.join(CONFIGS, name), server=True), read(name)
    train, test = (cfg[f'{s}_dataloader'].dataset for s in ('train', 'test'))
    if train.type == 'tcnn_mm.FeatureBank':
        assert train.bank != plain.train_dataloader.dataset.bank
        train = train.source
    assert (train.split, test.split, test.annotations) == ('trainval', 'test', False)
    assert train.get('annotations', True) and test.test_mode
    (metric,) = cfg.test_evaluator
    assert metric.type == 'tcnn_mm.VOCSubmission' and metric.comp == ROWS[name]['server']
    assert osp.basename(cfg.work_dir) == osp.splitext(osp.basename(name))[0] + '_server'
    # Nothing else changes.
    for key in ('model', 'optim_wrapper', 'train_cfg', 'param_scheduler', 'custom_hooks'):
        assert cfg[key] == plain[key]


def test_the_papers_setup():
    """tcnn_voc07: FCa 2048, dropout 0.5, lr 0.01 in three stages, about 500 patches."""
    cfg = read('tcnn_voc07.py')
    model = build(cfg)
    assert model.head.FCa.out_features == 2048 and model.head.drop.p == 0.5
    assert cfg.optim_wrapper.optimizer.lr == 0.01 and len(cfg.param_scheduler.milestones) == 2
    assert len(model.sampler.grid((375, 500))) == 496


@pytest.mark.parametrize('name', ['tcnn_voc12_pre-1000r.py', 'tcnn_voc12_action.py'])
def test_the_papers_network(name):
    """Krizhevsky's channels with normalisation, RGB minus the source recipe's mean, std 1."""
    model = build(read(name))
    convolutions = [m for m in model.backbone.features if isinstance(m, torch.nn.Conv2d)]
    assert [c.out_channels for c in convolutions] == [96, 256, 384, 384, 256]
    assert model.preprocessing == dict(
        size=224, mean=(123.675, 116.28, 103.53), std=(1.0, 1.0, 1.0), channel_order='rgb'
    )
    assert model.head.FCa.out_features == 2048


def test_other_is_one_option_more():
    """The header's switch: ten outputs, and persons who do something else leave the training."""
    cfg = read('tcnn_voc12_action.py')
    options = {f'{s}_dataloader.dataset.other': False for s in ('train', 'test')}
    cfg.merge_from_dict({**options, 'model.head.num_classes': 10})
    assert build(copy.deepcopy(cfg)).head.FCb.out_features == 10
