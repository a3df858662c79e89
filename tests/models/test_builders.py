"""Sizes that a config leaves open follow from its other parts; what disagrees is refused."""

import re

import pytest
import torch

from tcnn_mm.errors import InvalidValueError
from tcnn_mm.models.builders import build_sampler
from tcnn_mm.registry import MODELS
from tests.support.patch_model import FROZEN, build_model, make_image


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


def test_a_head_that_scores_no_patches_is_refused_when_it_is_built():
    """mmpretrain's linear head: the error's part in its place works."""
    head = dict(type='mmpretrain.LinearClsHead', num_classes=3, in_channels=256)
    with pytest.raises(InvalidValueError, match='LinearClsHead, which has no scores') as error:
        build_model(head=head)
    named = re.search(r'take (tcnn_mm\.\w+)', str(error.value)).group(1)
    assert build_model(head=dict(head, type=named)).head.num_classes == 3


@pytest.mark.parametrize('key', ['head', 'context'])
def test_a_width_that_does_not_fit_is_one_line(key):
    """Both numbers and the key; set as the error says, the model runs."""
    head = dict(type='tcnn_mm.AdaptationHead', num_classes=3, in_channels=256)
    wrong = dict(head=dict(head, in_channels=255))
    if key == 'context':
        wrong = dict(head=head, context=dict(type='tcnn_mm.ContextHead', in_channels=255))
    with pytest.raises(InvalidValueError, match=r'256.*255|255.*256') as error:
        score(build_model(**wrong))
    assert f'model.{key}.in_channels=255' in str(error.value)
    if key == 'head':
        width = int(re.search(r'set model\.head\.in_channels=(\d+)', str(error.value)).group(1))
        assert score(build_model(head=dict(head, in_channels=width))).shape == (3,)


@pytest.mark.parametrize('frozen', [FROZEN, FROZEN[:5]])
def test_a_size_that_does_not_fit_the_layers_is_one_line(frozen):
    """A neck of another width, patches too small for a layer: sizes and keys, not a traceback."""
    neck = dict(type='mmpretrain.LinearNeck', in_channels=128, out_channels=256)
    said = 'TransferAlexNet.*128.*set model.preprocessing.size, or the sizes of model.backbone and'
    with pytest.raises(InvalidValueError, match=said):
        score(build_model(neck=neck, frozen=frozen))
    with pytest.raises(InvalidValueError, match='takes no patches of 4 × 4 pixels: '):
        score(build_model(preprocessing=dict(size=4), frozen=frozen))


def score(model):
    """Scores (K,) of one image."""
    with torch.no_grad():
        return model.eval().predict([make_image()[0]])[0].pred_score
