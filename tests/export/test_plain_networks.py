"""Plain networks give the scores that the patches of the model vote with."""

import numpy as np
import pytest
import torch

from tcnn_mm.export.plain_networks import plain_network
from tcnn_mm.models.encoder.dense import dense_plan
from tcnn_mm.patches.crop import crop_patches, resize
from tcnn_mm.registry import MODELS
from tests.support.patch_model import build_model, make_image
from tests.support.small_checkpoint import small_model_config

ANY_SIZE = dict(size=64, mean=(120.0, 110.0, 100.0), std=(60.0, 50.0, 40.0))


@pytest.mark.parametrize('order', ['rgb', 'bgr'])
@pytest.mark.parametrize('frozen', [('backbone',), ('C1', 'C2', 'C3', 'C4', 'C5', 'FC7')])
def test_patch_scores(order, frozen):
    """Raw RGB patches in: the votes, background beside them; also where FC6 trains."""
    model = build_model(frozen=frozen, preprocessing=dict(ANY_SIZE, channel_order=order)).eval()
    image, _ = make_image()
    boxes = model.sampler.grid(image.shape[-2:])
    with torch.no_grad():
        (votes,) = model.score_patches([image], [boxes])
        scores = plain_network(model, 'patch')(crop_patches(image, boxes, 64))
    assert scores.shape == (len(boxes), 4)
    torch.testing.assert_close(scores[:, :3], votes, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(scores.sum(1), torch.ones(len(boxes)))


def pooled_model():
    return MODELS.build(
        dict(
            type='tcnn_mm.PatchClassifier',
            backbone=dict(type='mmpretrain.VGG', depth=11, num_classes=-1, out_indices=(2,)),
            neck=dict(type='mmpretrain.GlobalAveragePooling'),
            head=dict(
                type='tcnn_mm.AdaptationHead', num_classes=3, in_channels=256, hidden_channels=16
            ),
            sampler=dict(
                type='tcnn_mm.PatchSampler', grid=dict(type='tcnn_mm.PatchGrid', scales=(1, 2))
            ),
            preprocessing=dict(ANY_SIZE, channel_order='rgb'),
            frozen=('backbone',),
            feature_mode='dense',
        )
    )


@pytest.mark.parametrize('kind', ['windows', 'pooled'])
def test_dense_scores(kind):
    """Each scale's resized image in: every patch of the grid is the window that the docs name."""
    model = (build_model(feature_mode='dense') if kind == 'windows' else pooled_model()).eval()
    network = plain_network(model, 'dense')
    assert (network.stride, network.side) == (model.encoder.map_stride, model.encoder.map_side)
    image, _ = make_image(90, 120)
    windows = model.sampler.grid((90, 120))
    with torch.no_grad():
        (votes,) = model.score_patches([image], [windows])
        for part in dense_plan(windows, network.stride):
            scores = network(resize(image.float(), part.shape)[None])
            assert scores.shape == (*((s - 64) // network.stride + 1 for s in part.shape), 4)
            found = scores[part.cells[:, 0], part.cells[:, 1], :3]
            torch.testing.assert_close(found, votes[part.index], atol=1e-5, rtol=1e-4)


def test_weak_scores_are_independent():
    """Sigmoids, and no background."""
    model = MODELS.build(
        small_model_config(
            type='tcnn_mm.WeakPatchClassifier',
            head=dict(background=False),
            sampler=dict(type='tcnn_mm.ScaleSampler', factors=(1.0,), base=1.0),
        )
    ).eval()
    pixels = 255 * torch.rand(4, 3, 64, 64)
    scores = plain_network(model, 'patch')(pixels)
    encoder = model.encoder
    features = encoder.encode_patches((pixels - encoder.mean) / encoder.std)
    expected = model.voter.logits(features)
    torch.testing.assert_close(scores, expected.sigmoid())
    assert scores.shape == (4, 3) and not np.allclose(scores.sum(1), 1)
