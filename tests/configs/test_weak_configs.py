"""The configs of weak labels: no background, no box, what trains, pooling and scales."""

import glob
import os.path as osp

import pytest
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope

from tests.support.runs import CONFIGS

HEAD = {f'head.{layer}.{leaf}' for layer in ('FCa', 'FCb') for leaf in ('weight', 'bias')}
# config → (outputs, width of the features, width of FCa, metric modes, side of the map, stride)
EXPECTED = {
    'tcnn_minivoc_weak.py': (6, 256, 512, ['voc10', 'voc07'], 3, 16),
    'tcnn_voc07_weak.py': (20, 4096, 2048, ['voc07', 'voc10'], 6, 32),
    'mixing/tcnn_mobilenetv2_voc07_weak.py': (20, 1280, 2048, ['voc07', 'voc10'], 8, 32),
}


def test_the_table_is_complete():
    """Every config of weak labels is in it."""
    found = glob.glob(osp.join(CONFIGS, '**', '*_weak.py'), recursive=True)
    assert {osp.relpath(p, CONFIGS) for p in found if '_base_' not in p} == set(EXPECTED)


@pytest.mark.parametrize('name', sorted(EXPECTED))
def test_parts_and_sizes(name):
    """FCa and FCb alone train, on image labels, with one output a class and dense windows."""
    outputs, width, hidden, modes, side, stride = EXPECTED[name]
    cfg = Config.fromfile(osp.join(CONFIGS, name))
    init_default_scope(cfg.default_scope)
    cfg.model.pretrained = None
    model = MODELS.build(cfg.model)
    assert type(model).__name__ == 'WeakPatchClassifier'
    assert {n for n, p in model.named_parameters() if p.requires_grad} == HEAD
    assert model.head.FCa.weight.shape == (hidden, width)
    assert model.head.FCb.out_features == outputs == model.head.num_classes
    assert type(model.aggregator).__name__ == 'MaxAggregator'
    assert model.feature_mode == 'dense' and (model.encoder.map_stride, model.encoder.map_side) == (
        stride,
        side,
    )
    # Windows at every cell of the map.
    assert model.sampler.grid.stride == model.sampler.grid.snap == stride
    assert model.sampler.jitter == (0.7, 1.4)
    names = [m.get('mode', m.type.split('.')[-1]) for m in cfg.test_evaluator]
    assert names == [*modes, 'PointLocalization']
    runtime = Config.fromfile(osp.join(CONFIGS, '_base_', 'default_runtime.py'))
    hooks = [hook.type for hook in runtime.custom_hooks]
    hooks.remove('tcnn_mm.PatchReportHook')
    assert [hook.type for hook in cfg.custom_hooks] == hooks
    assert cfg.optim_wrapper.constructor == 'tcnn_mm.TrainableParams'


def test_the_authors_setup():
    """tcnn_voc07_weak: batches of 16, 20 epochs, six factors, VOC's images as stored."""
    cfg = Config.fromfile(osp.join(CONFIGS, 'tcnn_voc07_weak.py'))
    assert cfg.train_dataloader.batch_size == 16 and cfg.train_cfg.max_epochs == 20
    init_default_scope(cfg.default_scope)
    model = MODELS.build(dict(cfg.model, pretrained=None))
    assert model.sampler.factors == (0.5, 0.7, 1, 1.4, 2, 2.8)
    assert model.sampler.base == pytest.approx(375 / 224) and model.head.drop.p == 0.5
    assert cfg.train_dataloader.dataset.split == 'trainval'
