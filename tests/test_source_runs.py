"""A source network on a tiny folder tree: train, test, publish, transfer."""

from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope
from PIL import Image

from tcnn_mm.checkpoints.loading import load_safely
from tcnn_mm.errors import UserError
from tests.support.runs import CONFIGS, assert_same_state, test, train
from tests.support.tool_module import load_tool

NAMES = ('n00000001', 'n00000002', 'n00000003')
WIDTH = 24


@pytest.fixture(scope='module')
def tree(tmp_path_factory):
    """Three classes of six images each, in ILSVRC's layout and as all of ImageNet."""
    root = tmp_path_factory.mktemp('source')
    random = np.random.default_rng(0)
    for folder in ('imagenet/train', 'imagenet/val', 'imagenet22k'):
        for label, name in enumerate(NAMES):
            (root / folder / name).mkdir(parents=True)
            for i in range(6):
                pixels = random.integers(80 * label, 80 * label + 40, (70, 60 + 9 * i, 3), np.uint8)
                Image.fromarray(pixels).save(root / folder / name / f'{i}.JPEG')
    (root / 'list.txt').write_text('\n'.join(NAMES))
    return root


def config(tree, name, work_dir, monkeypatch):
    """The config as it ships, but narrow, with three classes and batches of six."""
    monkeypatch.setenv('TCNN_DATA', str(tree))
    cfg = Config.fromfile(Path(CONFIGS, name))
    cfg.merge_from_dict(
        {
            'work_dir': str(work_dir),
            'log_level': 'WARNING',
            'experiment_name': f'{work_dir.name}_{id(cfg)}',
            'train_cfg.max_epochs': 1,
            'model.backbone.fc_channels': WIDTH,
            'model.head.in_channels': WIDTH,
            'model.head.num_classes': len(NAMES),
            'model.head.topk': (1, 2),
            'val_evaluator.topk': (1, 2),
            'test_evaluator.topk': (1, 2),
        }
    )
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        loader.update(batch_size=6, num_workers=0, persistent_workers=False)
        named = loader.dataset.type == 'tcnn_mm.ClassFolders'
        loader.dataset.update(
            dict(class_list=str(tree / 'list.txt'), num_classes=len(NAMES))
            if named
            else dict(metainfo=dict(classes=NAMES))
        )
    return cfg


@pytest.mark.parametrize('name', ['source_in1k.py', 'source_1512.py'])
def test_train_test_publish_transfer(tree, name, tmp_path, monkeypatch):
    """One epoch; top-1 and top-k of the held-out images; the published file, without optimizer,
    fills a transfer model whose pixels are the same, and no other."""
    checkpoint = train(config(tree, name, tmp_path, monkeypatch))
    assert checkpoint['meta']['epoch'] == 1
    state = checkpoint['message_hub']['runtime_info']['plateau_stages']
    assert state['stage'] == 1 and state['best'] > 0
    metrics = test(config(tree, name, tmp_path, monkeypatch), tmp_path / 'epoch_1.pth')
    assert set(metrics) == {'accuracy/top1', 'accuracy/top2'}

    publish = load_tool('publish_model')
    out = tmp_path / 'source.pth'
    monkeypatch.setattr('sys.argv', ['publish', str(tmp_path / 'epoch_1.pth'), str(out)])
    publish.main()
    published = load_safely(out)
    assert 'optimizer' not in published
    assert published['meta']['tcnn_mm']['preprocessing']['channel_order'] == 'rgb'

    pixels = dict(mean=(123.675, 116.28, 103.53), std=(1.0, 1.0, 1.0), channel_order='rgb')
    model = transfer(out, pixels)
    trained = {k: v for k, v in published['state_dict'].items() if k.startswith('backbone.')}
    assert_same_state(trained, {k: v for k, v in model.state_dict().items() if k in trained})
    with pytest.raises(UserError, match='channel_order: file rgb, model bgr'):
        transfer(out, {})


def transfer(weights, pixels):
    init_default_scope('mmpretrain')
    model = MODELS.build(
        dict(
            type='tcnn_mm.PatchClassifier',
            backbone=dict(
                type='tcnn_mm.TransferAlexNet',
                variant='krizhevsky',
                fc_channels=WIDTH,
                preprocessing=pixels,
            ),
            head=dict(type='tcnn_mm.AdaptationHead', num_classes=20, in_channels=WIDTH),
            sampler=dict(type='tcnn_mm.PatchSampler'),
            frozen=('backbone',),
            pretrained=str(weights),
        )
    )
    model.init_weights()
    return model


def test_a_source_batch_has_the_pixels_that_a_transfer_gives(tree, tmp_path, monkeypatch):
    """The classifier's preprocessor and PatchClassifier make the same numbers of one image."""
    from tcnn_mm.models.patch_classifier import PatchClassifier
    from tcnn_mm.registry import DATASETS

    cfg = config(tree, 'source_in1k.py', tmp_path, monkeypatch)
    init_default_scope('mmpretrain')
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    source = MODELS.build(cfg.model)
    packed = dataset[0]
    rgb = packed['inputs'].flip(0)  # mmpretrain packs BGR
    batch = source.data_preprocessor(dict(inputs=[packed['inputs']], data_samples=None))['inputs']
    pixels = cfg.model.backbone.preprocessing
    head = dict(type='tcnn_mm.AdaptationHead', num_classes=2, in_channels=WIDTH)
    backbone = dict(cfg.model.backbone, preprocessing=pixels)
    ours = PatchClassifier(backbone, head, dict(type='tcnn_mm.PatchSampler'))
    assert torch.equal(ours.encoder.prepare_image(rgb), batch[0])
    assert tuple(batch.shape[-2:]) == (224, 224)
