"""The source tasks' configs: the paper's network, images, schedule and outputs."""

import os.path as osp

import pytest
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope

from tests.support.runs import CONFIGS

# config → (outputs, width of FC6 and FC7, data set, class list)
EXPECTED = {
    'source_in1k.py': (1000, 4096, 'mmpretrain.ImageNet', None),
    'source_1000r.py': (1000, 4096, 'tcnn_mm.ClassFolders', '1000r.txt'),
    'source_1512.py': (1512, 6144, 'tcnn_mm.ClassFolders', '1512.txt'),
}


@pytest.fixture(params=sorted(EXPECTED))
def case(request):
    cfg = Config.fromfile(osp.join(CONFIGS, request.param))
    init_default_scope(cfg.default_scope)
    return cfg, EXPECTED[request.param]


def test_network_and_pixels(case):
    """Krizhevsky's net, all trained; RGB minus the mean, by backbone and preprocessor alike."""
    cfg, (outputs, width, *_) = case
    # The parameters by name and shape, without 60 million numbers.
    import torch

    with torch.device('meta'):
        model = MODELS.build(cfg.model)
    assert all(p.requires_grad for p in model.parameters())
    assert model.backbone.variant == 'krizhevsky'
    assert model.backbone.classifier[1].weight.shape == (width, 9216)
    assert model.backbone.classifier[4].weight.shape == (width, width)
    assert model.head.fc.weight.shape == (outputs, width)
    assert {n for n, _ in model.named_parameters() if n.startswith('head')} == {
        'head.fc.weight', 'head.fc.bias'
    }  # fmt: skip
    # Dropout on the outputs of FC6 and FC7.
    drops = model.backbone.classifier[0].p, model.backbone.classifier[3].p, model.head.drop.p
    assert drops == (0.0, 0.5, 0.5)
    pixels, mover = cfg.model.backbone.preprocessing, cfg.model.data_preprocessor
    assert list(pixels.mean) == list(mover.mean) == [123.675, 116.28, 103.53]
    assert list(pixels.std) == list(mover.std) == [1, 1, 1]
    assert pixels.channel_order == 'rgb' and mover.to_rgb


def test_data_and_schedule(case):
    """Flips and random 224 crops of 256 without colour jitter; batch 128, 0.01 in three stages."""
    cfg, (outputs, _, dataset, class_list) = case
    kinds = [step.type.split('.')[1] for step in cfg.train_dataloader.dataset.pipeline]
    assert kinds == [
        'LoadVOCObjects', 'ResizeEdge', 'CenterCrop', 'RandomCrop', 'RandomFlip', 'PackInputs'
    ]  # fmt: skip
    steps = cfg.train_dataloader.dataset.pipeline
    assert (steps[1].scale, steps[2].crop_size, steps[3].crop_size) == (256, 256, 224)
    assert cfg.train_dataloader.batch_size == 128
    for split, loader in (('train', cfg.train_dataloader), ('val', cfg.val_dataloader)):
        assert loader.dataset.type == dataset and loader.dataset.split == split
        if class_list:
            assert loader.dataset.num_classes == outputs
            assert osp.basename(loader.dataset.class_list) == class_list
            assert osp.isfile(loader.dataset.class_list)
    assert cfg.test_dataloader == cfg.val_dataloader
    assert cfg.test_evaluator == dict(type='mmpretrain.Accuracy', topk=(1, 5))
    optimizer = cfg.optim_wrapper.optimizer
    assert (optimizer.lr, optimizer.momentum, optimizer.weight_decay) == (0.01, 0.9, 5e-4)
    assert cfg.param_scheduler is None
    assert [hook.type for hook in cfg.custom_hooks] == [
        'tcnn_mm.EpochSeedHook', 'tcnn_mm.CheckpointMetaHook', 'tcnn_mm.PlateauStages'
    ]  # fmt: skip
