"""The bank: the online features, in float16, complete or absent, refused where it does not fit."""

import json
import shutil

import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.registry import init_default_scope

from tcnn_mm.engine import build_bank as banks
from tcnn_mm.errors import UserError
from tcnn_mm.registry import DATASETS, MODELS
from tests.support.runs import assert_same_state, small_config, train
from tests.support.runs import test as run_test


@pytest.fixture
def cfg(tmp_path):
    """MiniVOC's experiment with its training data in a bank."""
    init_default_scope('mmpretrain')
    cfg = small_config(tmp_path / 'run', images=6)
    source = cfg.train_dataloader.dataset
    cfg.train_dataloader = ConfigDict(
        batch_size=64,
        num_workers=0,
        collate_fn=dict(type='pseudo_collate'),
        sampler=dict(type='DefaultSampler', shuffle=True),
        dataset=dict(
            type='tcnn_mm.FeatureBank', bank=str(tmp_path / 'bank'), source=source, flips=True
        ),
    )
    return cfg


def test_features_equal_the_online_ones(cfg):
    """Each row is the model's feature of its box, and of its mirror image, to float16."""
    banks.build_banks(cfg)
    bank = DATASETS.build(cfg.train_dataloader.dataset)
    source = DATASETS.build(bank.source)
    model = MODELS.build(cfg.model)
    model.init_weights()
    model.eval()
    for i in (0, 3):
        rows = slice(bank.first[i], bank.first[i] + bank.sizes[i])
        image = source[i]['inputs']
        online = model.encoder.describe_patches(image, bank.boxes[rows]).numpy()
        np.testing.assert_allclose(bank.features[0, rows], online, rtol=2e-3, atol=2e-3)
        assert not np.allclose(bank.features[1, rows], online, atol=0.05)


def test_rows_are_the_fixed_set(cfg):
    """Boxes and labels of an image are the sampler's whole fixed set of the bank's seed."""
    banks.build_banks(cfg)
    bank = DATASETS.build(cfg.train_dataloader.dataset)
    model = MODELS.build(cfg.model)
    model.sampler.num_patches = None
    model.set_epoch(0, 5)
    item = DATASETS.build(bank.source)[2]
    drawn = model.sample_patches(item['inputs'], item['data_samples'], training=True)
    rows = slice(bank.first[2], bank.first[2] + bank.sizes[2])
    assert np.array_equal(bank.boxes[rows], drawn.xyxy)
    assert np.array_equal(bank.labels[rows], drawn.label)
    assert len(bank) == len(bank.labels) == bank.sizes.sum()


def test_training_from_the_bank_gives_a_full_checkpoint(cfg, tmp_path):
    """The checkpoint holds backbone and head, and tests online."""
    banks.build_banks(cfg)
    checkpoint = train(cfg)
    assert 'backbone.features.0.weight' in checkpoint['state_dict']
    metrics = run_test(small_config(tmp_path / 'test', images=6), tmp_path / 'run' / 'epoch_2.pth')
    assert metrics['voc10/mAP'] > 0


def test_a_banked_test_equals_the_online_test(cfg, tmp_path):
    """Scores from a bank of the whole grid equal those of the network, to float16."""
    train(small_config(tmp_path / 'run2', epochs=1, images=6))
    online = run_test(small_config(tmp_path / 'online', images=6), tmp_path / 'run2/epoch_1.pth')
    cfg = small_config(tmp_path / 'banked', images=6)
    cfg.test_dataloader.dataset = ConfigDict(
        type='tcnn_mm.FeatureBank',
        bank=str(tmp_path / 'testbank'),
        test_mode=True,
        source=cfg.test_dataloader.dataset,
    )
    banks.build_banks(ConfigDict(model=cfg.model, test_dataloader=cfg.test_dataloader))
    cfg.custom_hooks = [*cfg.custom_hooks, dict(type='tcnn_mm.ScoreMapHook', max_images=2)]
    banked = run_test(cfg, tmp_path / 'run2/epoch_1.pth')
    first, second = (
        np.loadtxt(
            tmp_path / name / 'image_scores.csv', delimiter=',', skiprows=1, usecols=range(1, 7)
        )
        for name in ('online', 'banked')
    )
    np.testing.assert_allclose(first, second, rtol=0.02, atol=1e-5)
    assert online.keys() == banked.keys()
    assert banked['point/hit_rate'] == online['point/hit_rate']
    assert len(list((tmp_path / 'banked' / 'score_maps').glob('*.png'))) == 2


def test_a_bank_knows_the_objects_of_its_images(cfg, tmp_path):
    """Test items carry what PackPatchInputs gives; an older bank gets it from its source."""
    test = dict(
        type='tcnn_mm.FeatureBank', bank=str(tmp_path / 'testbank'), test_mode=True,
        source=cfg.test_dataloader.dataset,
    )  # fmt: skip
    banks.build_bank(cfg, test)
    path = tmp_path / 'testbank' / 'manifest.json'
    new = json.loads(path.read_text())
    old = json.loads(path.read_text())
    for picture in old['pictures']:
        for key in ('gt_bboxes', 'gt_bboxes_labels', 'gt_bboxes_difficult'):
            del picture[key]
    path.write_text(json.dumps(old))
    banks.build_bank(cfg, test)
    assert json.loads(path.read_text()) == new
    bank, source = DATASETS.build(test), DATASETS.build(test['source'])
    for i in (0, 5):
        mine, theirs = bank[i]['data_samples'], source[i]['data_samples']
        for key in ('gt_bboxes', 'gt_bboxes_labels', 'gt_bboxes_difficult', 'gt_label'):
            assert torch.equal(mine.get(key), theirs.get(key)), key
            assert mine.get(key).dtype == theirs.get(key).dtype
        assert mine.ori_shape == theirs.ori_shape


def test_an_interrupted_bank_is_absent_and_goes_on(cfg, tmp_path, monkeypatch):
    """Killed half-way: no bank; the next run computes only what is missing, with equal result."""
    banks.build_banks(cfg)
    whole = (tmp_path / 'bank' / 'features.f16').read_bytes()
    cfg.train_dataloader.dataset.bank = str(tmp_path / 'again')
    calls = []
    original = np.memmap.flush

    def dying(self):
        original(self)
        calls.append(1)
        if len(calls) == 4:  # features, whole images, checksums; features of the second batch
            raise KeyboardInterrupt

    monkeypatch.setattr(np.memmap, 'flush', dying)
    with pytest.raises(KeyboardInterrupt):
        banks.build_banks(cfg)
    monkeypatch.setattr(np.memmap, 'flush', original)
    assert not (tmp_path / 'again').exists()
    done = np.fromfile(tmp_path / 'again.part' / 'done.u8', np.uint8)
    assert 0 < done.sum() < len(done)
    banks.build_banks(cfg)
    assert (tmp_path / 'again' / 'features.f16').read_bytes() == whole
    assert not (tmp_path / 'again.part').exists()


@pytest.mark.parametrize(
    'key, value, named',
    [
        ('model.sampler.grid.scales', [1.0, 2.5], 'sampler.grid.scales'),
        ('model.frozen_dtype', 'bfloat16', 'network.dtype'),
        ('model.backbone.dropout', 0.1, 'network.backbone.dropout'),
        ('model.sampler.background_share', 0.2, 'background_share'),
        ('train_dataloader.dataset.source.indices', 5, 'source.pictures'),
        ('train_dataloader.dataset.seed', 3, 'sampler.seed'),
    ],
)
def test_a_bank_of_another_recipe_is_refused(cfg, key, value, named):
    """The difference between bank and config is named, with both values."""
    banks.build_banks(cfg)
    cfg.merge_from_dict({key: value})
    with pytest.raises(UserError, match=rf'{named}: bank .*config'):
        banks.build_banks(cfg)


def test_no_room_is_said_first(cfg, monkeypatch, tmp_path):
    """Disk need is checked before anything is computed, and nothing is left behind."""
    from collections import namedtuple

    usage = namedtuple('usage', 'total used free')(1, 1, 10)
    monkeypatch.setattr(shutil, 'disk_usage', lambda path: usage)
    with pytest.raises(UserError, match='GB free'):
        banks.build_banks(cfg)
    assert not list(tmp_path.glob('bank*'))


def test_a_bank_needs_a_weight_file(cfg):
    """Random weights would differ from those of the run that uses the bank."""
    cfg.model.pretrained = None
    with pytest.raises(UserError, match='pretrained'):
        banks.build_banks(cfg)


def test_flips_are_drawn_by_epoch(cfg):
    """Another epoch mirrors other patches; the same one the same."""
    banks.build_banks(cfg)
    bank = DATASETS.build(cfg.train_dataloader.dataset)

    def batch(epoch):
        bank.set_epoch(0, epoch)
        return bank.__getitems__([0, 1, 2, 3, 4, 5, 6, 7])[0]['inputs'].features

    assert torch.equal(batch(1), batch(1)) and not torch.equal(batch(1), batch(2))


def test_a_resumed_banked_run_is_bit_equal(cfg, tmp_path):
    """Resume from a bank: the same weights as without the break."""
    banks.build_banks(cfg)
    cfg.train_cfg.max_epochs = 3
    cfg.work_dir = str(tmp_path / 'whole')
    whole = train(cfg.copy())
    cfg.work_dir = str(tmp_path / 'parts')
    train(cfg.copy(), stop_after=1)
    cfg.resume = True
    assert_same_state(whole['state_dict'], train(cfg.copy())['state_dict'])


def test_missing_bank_says_how_to_make_it(tmp_path):
    """Three lines: what, where, which command."""
    with pytest.raises(UserError) as error:
        DATASETS.build(dict(type='tcnn_mm.FeatureBank', bank=str(tmp_path / 'none')))
    assert len(str(error.value).splitlines()) == 3 and 'tcnn train CONFIG' in str(error.value)


def test_a_part_of_the_images(cfg, tmp_path):
    """ids: only the rows of these images, the same ones as in the whole bank."""
    banks.build_banks(cfg)
    options = cfg.train_dataloader.dataset
    whole = DATASETS.build(options)
    names = [whole.manifest['pictures'][i]['img_id'] for i in (1, 4)]
    (tmp_path / 'ids.txt').write_text('\n'.join(names) + '\n')
    part = DATASETS.build(dict(options, ids=str(tmp_path / 'ids.txt')))
    assert len(part) == whole.sizes[1] + whole.sizes[4]
    rows = [i for p in (1, 4) for i in range(whole.first[p], whole.first[p] + whole.sizes[p])]
    labels = part.__getitems__(list(range(len(part))))[0]['inputs'].labels.tolist()
    assert labels == whole.labels[rows].tolist()
    (tmp_path / 'ids.txt').write_text('nobody\n')
    with pytest.raises(UserError, match='nobody'):
        DATASETS.build(dict(options, ids=str(tmp_path / 'ids.txt')))


def test_a_bank_is_of_a_grid(cfg):
    """One square a person makes no bank: refused by the sampler's name, nothing is written."""
    cfg.model.sampler = dict(type='tcnn_mm.ObjectSquareSampler')
    with pytest.raises(UserError, match='patches of a grid; ObjectSquareSampler has none'):
        banks.build_banks(cfg)
