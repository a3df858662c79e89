"""Sizes that a config leaves open follow from its other parts; what disagrees is refused."""

import pytest

from tcnn_mm.models.builders import build_sampler
from tcnn_mm.registry import MODELS
from tests.support.patch_model import build_model


@pytest.mark.parametrize('part, name', [('grid', 'size'), ('labeler', 'num_classes')])
def test_numbers_that_disagree_are_refused(part, name):
    """A patch size or class count set twice, differently, is an error that names both."""
    sampler = build_model().sampler
    setattr(getattr(sampler, part), name, 96)
    with pytest.raises(ValueError, match=f'sampler.{part}.{name}=96'):
        build_sampler(sampler, 64, 3)


def test_what_the_sampler_leaves_open_follows_the_model():
    """A bare PatchSampler gets patch size, stride and classes from backbone and head."""
    head = dict(type='tcnn_mm.AdaptationHead', num_classes=4, in_channels=256)
    model = MODELS.build(
        dict(
            type='tcnn_mm.PatchClassifier',
            backbone=dict(type='tcnn_mm.TransferAlexNet', variant='small'),
            head=head,
            sampler=dict(type='tcnn_mm.PatchSampler'),
            frozen=('backbone',),
            feature_mode='dense',
        )
    )
    grid = model.sampler.grid
    assert (grid.size, grid.snap, model.sampler.labeler.background) == (64, 16, 4)


def test_a_backbone_without_preprocessing_asks_for_it():
    """mmpretrain's nets do not say what pixels they want: the config must."""
    with pytest.raises(ValueError, match='preprocessing'):
        MODELS.build(
            dict(
                type='tcnn_mm.PatchClassifier',
                backbone=dict(type='mmpretrain.ResNet', depth=18),
                head=dict(type='tcnn_mm.AdaptationHead', num_classes=2, in_channels=512),
                sampler=dict(type='tcnn_mm.PatchSampler', grid={}, labeler={}),
            )
        )
