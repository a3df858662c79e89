"""Parts of ours inside models of mmpretrain and mmdet, by the configs that show it."""

import hashlib
import importlib
import os.path as osp
import pickle
import sys

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import DATASETS, MODELS, init_default_scope
from mmpretrain.datasets import CIFAR10

from tcnn_mm.checkpoints.loading import load_safely
from tcnn_mm.cli.errors import run_tool
from tcnn_mm.datasets.mini_voc import drawing
from tcnn_mm.datasets.voc import VOC_CLASSES
from tcnn_mm.engine.epoch_seed import tell_epoch
from tests.support.runs import CONFIGS, small_config, test, train
from tests.support.voc_folder import write_voc_folder

CIFAR_CONFIG = 'mmpretrain::resnet/resnet18_8xb16_cifar10.py'
HERE = {'num_workers': 0, 'persistent_workers': False}


def mixing_config(name, work_dir, **options):
    """A config of mixing/, or the file `name`, for one epoch without workers or noise."""
    cfg = Config.fromfile(osp.join(CONFIGS, 'mixing', name))
    cfg.merge_from_dict(
        {
            **{f'{s}_dataloader.{k}': v for s in ('train', 'test') for k, v in HERE.items()},
            'train_cfg.max_epochs': 1,
            'log_level': 'WARNING',
            'work_dir': str(work_dir),
            'experiment_name': f'{osp.basename(str(work_dir))}_{id(cfg)}',
            **options,
        }
    )
    cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    return cfg


def labeled_patches(work_dir, name='resnet18_labeled-patches_minivoc.py'):
    """ResNet-18 from random weights on twelve patches of 32 pixels."""
    options = {f'{s}_dataloader.dataset.indices': 12 for s in ('train', 'test')}
    cfg = mixing_config(name, work_dir, **options)
    for loader in (cfg.train_dataloader, cfg.test_dataloader):
        loader.dataset.pipeline[1].sampler.grid.size = 32
    return cfg


def top1(cfg, state):
    """Percent of the test set's items that the model names rightly, each on its own."""
    init_default_scope('mmpretrain')
    # A runner hands the top-level preprocessor to the model.
    model = MODELS.build(dict(data_preprocessor=cfg.get('data_preprocessor'), **cfg.model))
    model.load_state_dict(state)
    model.eval()
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    tell_epoch(dataset, 0, 0)
    right = []
    for at in range(len(dataset)):
        with torch.no_grad():
            (sample,) = model.test_step(pseudo_collate([dataset[at]]))
        right.append(int(sample.pred_label) == int(sample.gt_label))
    return 100 * np.mean(right)


def test_labelled_patches_in_a_config_of_mmpretrain(tmp_path):
    """Model and metric are mmpretrain's: the accuracy is that of the patches one by one."""
    torch.manual_seed(0)
    start = MODELS.build(labeled_patches(tmp_path).model).state_dict()
    state = train(labeled_patches(tmp_path))['state_dict']
    assert state.keys() == start.keys()
    assert all(torch.isfinite(value).all() for value in state.values())
    metrics = test(labeled_patches(tmp_path), tmp_path / 'epoch_1.pth')
    assert metrics['accuracy/top1'] == pytest.approx(
        top1(labeled_patches(tmp_path), state), abs=1e-3
    )


def test_labelled_test_patches_are_the_same_each_time(tmp_path):
    """Two data sets of one config cut the same test patches, of several classes."""
    init_default_scope('mmpretrain')
    built = labeled_patches(tmp_path).test_dataloader.dataset
    one, two = (DATASETS.build(dict(built)) for _ in range(2))
    for dataset in (one, two):
        tell_epoch(dataset, 0, 0)
    items = [(one[at], two[at]) for at in range(len(one))]
    assert len(items) == 12
    assert all(torch.equal(a['inputs'], b['inputs']) for a, b in items)
    labels = [(int(a['data_samples'].gt_label), int(b['data_samples'].gt_label)) for a, b in items]
    assert all(a == b for a, b in labels) and len(set(labels)) > 1


def test_its_checkpoint_votes(tmp_path):
    """With AdaptationHead in it, by somebody's config elsewhere, the same file is a checkpoint of
    `PatchClassifier`."""
    (tmp_path / 'mine.py').write_text(
        "_base_ = 'tcnn_mm::mixing/resnet18_labeled-patches_minivoc.py'\n"
        "head = dict(type='tcnn_mm.AdaptationHead', num_classes=6, in_channels=512)\n"
        'model = dict(head=dict(_delete_=True, **head))\n'
    )
    state = train(labeled_patches(tmp_path, str(tmp_path / 'mine.py')))['state_dict']
    cfg = small_config(tmp_path, images=4)
    cfg.model = dict(
        type='tcnn_mm.PatchClassifier',
        backbone=dict(type='mmpretrain.ResNet', depth=18),
        neck=dict(type='mmpretrain.GlobalAveragePooling'),
        head=dict(type='tcnn_mm.AdaptationHead', num_classes=6, in_channels=512),
        sampler=dict(type='tcnn_mm.PatchSampler', grid=dict(type='tcnn_mm.PatchGrid', scales=[1])),
        preprocessing=dict(size=32, mean=[127.5] * 3, std=[64] * 3, channel_order='rgb'),
    )
    assert MODELS.build(cfg.model).state_dict().keys() == state.keys()
    assert 'voc10/mAP' in test(cfg, tmp_path / 'epoch_1.pth')


def write_cifar(root, monkeypatch):
    """CIFAR-10's files with four images each, and their md5 sums in mmpretrain's lists."""
    folder = root / CIFAR10.base_folder
    folder.mkdir(parents=True)
    random, sums = np.random.default_rng(0), {}
    for name, _ in CIFAR10.train_list + CIFAR10.test_list:
        content = dict(data=random.integers(0, 255, (4, 3072), dtype=np.uint8), labels=[0, 1, 8, 9])
        (folder / name).write_bytes(pickle.dumps(content))
        sums[name] = hashlib.md5((folder / name).read_bytes()).hexdigest()
    for part in ('train_list', 'test_list'):
        known = getattr(CIFAR10, part)
        monkeypatch.setattr(CIFAR10, part, [[name, sums[name]] for name, _ in known])


@pytest.mark.slow
def test_the_head_in_a_config_of_mmpretrain(tmp_path, monkeypatch):
    """Nothing but the head differs from mmpretrain's own config; it trains and tests."""
    write_cifar(tmp_path / 'cifar10', monkeypatch)
    name = 'resnet18_adaptation-head_cifar10.py'
    ours = Config.fromfile(osp.join(CONFIGS, 'mixing', name)).to_dict()
    theirs = Config.fromstring(f'_base_ = {CIFAR_CONFIG!r}', '.py').to_dict()
    assert ours['model'].pop('head') != theirs['model'].pop('head')
    assert ours == theirs
    options = {}
    for part in ('train_dataloader.dataset', 'test_dataloader.dataset'):
        options |= {f'{part}.data_root': str(tmp_path / 'cifar10'), f'{part}.indices': 4}
    state = train(mixing_config(name, tmp_path, **options))['state_dict']
    assert state['head.FCb.weight'].shape == (10, 2048)
    metrics = test(mixing_config(name, tmp_path, **options), tmp_path / 'epoch_1.pth')
    expected = top1(mixing_config(name, tmp_path, **options), state)
    assert metrics['accuracy/top1'] == pytest.approx(expected, abs=1e-3)


def draw_voc(root, numbers):
    """Scenes of MiniVOC as JPEGs of a VOC2007 folder, its classes under names of VOC's."""
    names = dict(zip(drawing.TARGET_CLASSES, VOC_CLASSES, strict=False))
    images = {}
    for number, (image, objects) in zip(range(numbers), drawing.draw_split('train'), strict=False):
        things = []
        for thing in objects:
            x1, y1, x2, y2 = thing['box']
            things.append(dict(thing, name=names[thing['name']], box=(x1 + 1, y1 + 1, x2, y2)))
        images[f'{number:06d}'] = (np.asarray(image), things)
    lists = dict(trainval=list(images), test=list(images))
    write_voc_folder(root / 'VOCdevkit' / 'VOC2007', images, lists, extension='.jpg')


# The small network for images of 160 × 120: its C5 has stride 8, cell i looks at pixel 8 i + 6.
SMALL_DETECTOR = {
    'model.backbone.variant': 'small',
    'model.backbone.pretrained': 'tcnn_mm://minivoc_source.pth',
    'model.data_preprocessor.mean': [127.5] * 3,
    'model.data_preprocessor.std': [64.0] * 3,
    'model.rpn_head.in_channels': 64,
    'model.rpn_head.anchor_generator.strides': [8],
    'model.rpn_head.anchor_generator.centers': [(6, 6)],
    'model.roi_head.bbox_roi_extractor.featmap_strides': [8],
    'model.roi_head.bbox_roi_extractor.out_channels': 64,
    'model.roi_head.bbox_head.in_channels': 64,
    'model.roi_head.bbox_head.fc_out_channels': 32,
    'train_dataloader.dataset.filter_cfg.bbox_min_size': 0,
}


def test_our_network_in_a_detector_of_mmdet(tmp_path, monkeypatch):
    """C1…C5 are those of the file, bit by bit, before training; it trains and VOCMetric tests."""
    pytest.importorskip('mmcv._ext', reason="mmdet's models need mmcv's compiled ops")
    draw_voc(tmp_path, 4)
    monkeypatch.setenv('TCNN_DATA', str(tmp_path))

    def config():
        cfg = mixing_config('faster-rcnn_alexnet_voc07.py', tmp_path, **SMALL_DETECTOR)
        for loader in (cfg.train_dataloader, cfg.test_dataloader):
            for step in loader.dataset.pipeline:
                if step.type == 'Resize':
                    step.scale = (160, 120)
        return cfg

    cfg = config()
    init_default_scope('mmdet')
    model = MODELS.build(cfg.model)
    model.init_weights()
    source = load_safely('tcnn_mm://minivoc_source.pth')['state_dict']
    own = model.backbone.state_dict()
    assert len(own) == 10
    assert all(torch.equal(value, source[f'backbone.{key}']) for key, value in own.items())
    train(cfg)
    metrics = test(config(), tmp_path / 'epoch_1.pth')
    assert {'pascal_voc/mAP', 'pascal_voc/AP50'} <= set(metrics)


@pytest.mark.parametrize('module, said', [('mmcv._ext', 'compiled ops'), ('mmdet', 'tcnn_mm[det]')])
def test_what_is_missing_is_named(module, said, monkeypatch, capsys):
    """A tool without mmcv's ops or without mmdet: one line that says what to install."""
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(SystemExit):
        run_tool(lambda: importlib.import_module(module))
    assert said in capsys.readouterr().err
