"""Every shipped config is a record that runs: parts, sizes, what trains, and its header."""

import glob
import os.path as osp

import pytest
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope
from runs import CONFIGS

HEAD = {f'head.{layer}.{leaf}' for layer in ('FCa', 'FCb') for leaf in ('weight', 'bias')}
# config → (trains only the head, outputs, width of the features, metric modes)
EXPECTED = {
    'tcnn_minivoc.py': (True, 7, 256, ['voc10', 'voc07', 'point']),
    'tcnn_minivoc_bank.py': (True, 7, 256, ['voc10', 'voc07', 'point']),
    'tcnn_minivoc_no-pretrain.py': (False, 7, 256, ['voc10', 'voc07', 'point']),
    'tcnn_voc07.py': (True, 21, 4096, ['voc07', 'voc10', 'point']),
    'tcnn_voc07_plateau.py': (True, 21, 4096, ['voc07', 'voc10', 'point']),
    'tcnn_voc07_no-pretrain.py': (False, 21, 4096, ['voc07', 'voc10', 'point']),
    'mixing/tcnn_mobilenetv2_voc07.py': (True, 21, 1280, ['voc07', 'voc10', 'point']),
    'mixing/tcnn_mobilenetv2_voc07_banks.py': (True, 21, 1280, ['voc07', 'voc10', 'point']),
    'mixing/tcnn_mobilenetv2_voc07_rescore.py': (True, 21, 1280, ['voc07', 'voc10', 'point']),
    'mixing/tcnn_small_voc07_no-pretrain.py': (False, 21, 256, ['voc07', 'voc10', 'point']),
    'mixing/tcnn_squeezenet_voc07.py': (True, 21, 512, ['voc07', 'voc10', 'point']),
    'mixing/tcnn_squeezenet_voc07_rescore.py': (True, 21, 512, ['voc07', 'voc10', 'point']),
}
ALL = sorted(
    osp.relpath(path, CONFIGS)
    for folder in ('', 'mixing')
    for path in glob.glob(osp.join(CONFIGS, folder, '*.py'))
)


def test_the_table_is_complete():
    """No config ships unchecked; source_minivoc is mmpretrain's own classifier."""
    assert set(ALL) == set(EXPECTED) | {'source_minivoc.py'}


@pytest.mark.parametrize('name', ALL)
def test_the_header_is_a_record(name):
    """Each opens with what it is and the command that runs it."""
    with open(osp.join(CONFIGS, name), encoding='utf-8') as file:
        lines = file.read().splitlines()
    header = '\n'.join(lines[: next(i for i, line in enumerate(lines) if line[:1] != '#')])
    assert f'tools/train.py configs/{name}' in header or 'tools/test.py' in header
    assert '@' not in header


@pytest.mark.parametrize('name', sorted(EXPECTED))
def test_parts_and_sizes(name):
    """Trainable parameters by name, outputs, FC width, metrics, scales and labels."""
    only_head, outputs, width, modes = EXPECTED[name]
    cfg = Config.fromfile(osp.join(CONFIGS, name))
    init_default_scope(cfg.default_scope)
    cfg.model.pretrained = None
    model = MODELS.build(cfg.model)
    trainable = {n for n, p in model.named_parameters() if p.requires_grad}
    assert trainable == (HEAD if only_head else {n for n, _ in model.named_parameters()})
    assert model.head.FCb.out_features == outputs and model.head.FCa.in_features == width
    assert model.sampler.labeler.num_classes == outputs - 1
    assert [m.get('mode', 'point') for m in cfg.test_evaluator] == modes
    assert model.sampler.grid.scales == (1, 1.3, 1.6, 2, 2.4, 2.8, 3.2, 3.6, 4)
    assert model.aggregator.k == 5 and model.sampler.background_share == 0.1
    assert cfg.optim_wrapper.constructor == 'tcnn_mm.TrainableParams'


def test_the_papers_setup():
    """tcnn_voc07: FCa 2048, dropout 0.5, lr 0.01 in three stages, trainval → test."""
    cfg = Config.fromfile(osp.join(CONFIGS, 'tcnn_voc07.py'))
    model = dict(cfg.model, pretrained=None)
    init_default_scope(cfg.default_scope)
    model = MODELS.build(model)
    assert model.head.FCa.out_features == 2048 and model.head.drop.p == 0.5
    assert cfg.optim_wrapper.optimizer.lr == 0.01 and len(cfg.param_scheduler.milestones) == 2
    splits = [cfg[f'{s}_dataloader'].dataset.split for s in ('train', 'test')]
    assert splits == ['trainval', 'test']
    assert cfg.train_dataloader.batch_size * model.sampler.num_patches == 128
    grid = model.sampler.grid((375, 500))
    assert 450 <= len(grid) <= 600
