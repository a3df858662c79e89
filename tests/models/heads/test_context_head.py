"""The whole image's head: its loss and fusion by hand, the same from images and from a bank."""

import math

import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.registry import init_default_scope

from tcnn_mm.engine import build_bank as banks
from tcnn_mm.models import ContextHead
from tcnn_mm.patches.geometry import grid_boxes, largest
from tcnn_mm.registry import DATASETS, MODELS
from tests.support.patch_model import build_model, make_image
from tests.support.runs import small_config, train
from tests.support.runs import test as run_test

CONTEXT = dict(type='tcnn_mm.ContextHead', hidden_channels=16, dropout=0.0)


def head(weight=0.15, logits=(0.0, 2.0)):
    """A head whose logits are known, whatever the features."""
    made = ContextHead(weight, num_classes=2, in_channels=3, hidden_channels=4)
    for parameter in made.parameters():
        parameter.data.zero_()
    made.FCb.bias.data = torch.tensor(logits)
    return made.eval()


def test_fusion_by_hand():
    """Log-odds of the fifth root of the votes plus weight × logit."""
    votes = torch.tensor([0.5**5, 0.2**5])
    fused = head(0.5).fuse(votes, torch.zeros(3), k=5)
    expected = [0.5, 1 / (1 + math.exp(-(math.log(0.2 / 0.8) + 0.5 * 2.0)))]
    assert fused.tolist() == pytest.approx(expected, abs=1e-6)


def test_weight_zero_keeps_the_ranking():
    """The votes' own order, also where they underflow towards 0."""
    votes = torch.tensor([1e-30, 3e-12, 0.0, 0.9])
    one = ContextHead(0.0, num_classes=4, in_channels=3, hidden_channels=4)
    fused = one.fuse(votes, torch.zeros(3), k=5)
    assert fused.argsort().tolist() == votes.argsort().tolist()
    assert bool(((fused >= 0) & (fused <= 1)).all())


def test_loss_by_hand_and_difficult_left_out():
    """One log-loss a class over the images; a difficult-only class counts nothing."""
    made = head(logits=(0.0, 2.0))
    labels = torch.tensor([[1, -1], [0, 1]])
    expected = (math.log(2) + math.log(1 + math.exp(2.0)) + math.log(1 + math.exp(-2.0))) / 2
    loss = made.image_loss(torch.zeros(2, 3), labels)
    assert loss.item() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize('size', [(375, 500), (500, 333), (64, 300)])
def test_largest_are_those_of_scale_one(size):
    """The largest boxes of a grid are the grid of λ = 1 alone."""
    boxes = grid_boxes(*size)
    assert np.array_equal(boxes[largest(boxes)], grid_boxes(*size, scales=(1.0,)))


def test_open_numbers_follow_the_patches_head():
    """Classes and width need not be repeated in the config."""
    model = build_model(context=CONTEXT)
    assert model.context.num_classes == model.head.num_classes
    assert model.context.FCa.in_features == model.head.FCa.in_features


def test_trainable_backbone_is_refused():
    """The context's features come without a graph."""
    with pytest.raises(ValueError, match='context needs a frozen backbone, FC6 trains'):
        build_model(context=CONTEXT, frozen=('C1', 'C2', 'C3', 'C4', 'C5'))


@pytest.mark.parametrize('mode', ['crop', 'dense'])
def test_both_heads_get_a_gradient(mode):
    """Online training: the sum of both losses reaches both heads."""
    model = build_model(context=CONTEXT, feature_mode=mode).train()
    model.set_epoch(0, 0)
    image, sample = make_image()
    sample.set_field([], 'gt_label_difficult', field_type='metainfo', dtype=None)
    losses = model([image], [sample], mode='loss')
    assert set(losses) == {'loss', 'loss_context'}
    sum(losses.values()).backward()
    for part in (model.head.FCa, model.context.FCb):
        assert part.weight.grad.abs().sum() > 0


def test_bank_and_images_agree(tmp_path):
    """The bank's whole-image features and labels are the online ones; its checkpoint's test by
    images equals the test from a bank of windows."""
    init_default_scope('mmpretrain')
    options = {'model.context': CONTEXT}
    cfg = small_config(tmp_path / 'run', epochs=1, images=6, **options)
    source = cfg.train_dataloader.dataset
    cfg.train_dataloader = ConfigDict(
        batch_size=16,
        num_workers=0,
        collate_fn=dict(type='pseudo_collate'),
        sampler=dict(type='DefaultSampler', shuffle=True),
        dataset=dict(
            type='tcnn_mm.FeatureBank', bank=str(tmp_path / 'bank'), source=source, context=True
        ),
    )
    banks.build_banks(cfg, ['train'])
    bank, source_images = DATASETS.build(cfg.train_dataloader.dataset), DATASETS.build(source)
    model = MODELS.build(cfg.model)
    model.init_weights()
    item = bank.__getitems__([0, 1])[0]
    features, labels = item['inputs'].whole, item['inputs'].image_labels
    online = model.eval().whole_features([source_images[0]['inputs']])
    np.testing.assert_allclose(features.float(), online, rtol=2e-3, atol=2e-3)
    assert torch.equal(labels[0] == 1, torch.arange(6)[:, None].eq(
        source_images[0]['data_samples'].gt_label).any(1))  # fmt: skip
    checkpoint = train(cfg)
    assert 'context.FCb.weight' in checkpoint['state_dict']
    saved = tmp_path / 'run' / 'epoch_1.pth'
    run_test(small_config(tmp_path / 'online', images=6, **options), saved)
    cfg = small_config(tmp_path / 'banked', images=6, **options)
    cfg.test_dataloader.dataset = ConfigDict(
        type='tcnn_mm.FeatureBank',
        bank=str(tmp_path / 'windows'),
        test_mode=True,
        source=cfg.test_dataloader.dataset,
    )
    banks.build_banks(cfg, ['test'])
    run_test(cfg, saved)
    first, second = (
        np.loadtxt(tmp_path / name / 'image_scores.csv', delimiter=',', skiprows=1,
                   usecols=range(1, 7))
        for name in ('online', 'banked')
    )  # fmt: skip
    np.testing.assert_allclose(first, second, rtol=0.02, atol=1e-4)
