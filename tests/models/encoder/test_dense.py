"""Dense mode: exact without padding, window arithmetic on real nets, refusals by name."""

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import nn

from tcnn_mm.models.encoder import dense as dense_module
from tcnn_mm.models.encoder.dense import (
    dense_plan,
    map_windows,
    pooled,
    snapped_windows,
)
from tcnn_mm.patches.geometry import grid_windows
from tests.support.patch_model import build_dense, build_model, make_image


class PaddingFree(nn.Module):
    """Two strided convolutions without padding: a window of the map is a patch's map exactly."""

    preprocessing = dict(size=29, mean=(127.0,) * 3, std=(64.0,) * 3, channel_order='rgb')

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 8, 5, 2), nn.ReLU(), nn.Conv2d(8, 6, 3, 2), nn.ReLU(), nn.MaxPool2d(2, 1)
        )

    def forward(self, x):
        return (self.body(x),)


def build(mode, **options):
    torch.manual_seed(0)
    grid = dict(scales=(1.0, 1.5, 2.2), snap=4)
    return build_dense(PaddingFree(), grid, 6, mode, **options)


@pytest.mark.parametrize('size_hw', [(70, 90), (40, 900), (700, 30), (9, 1500), (1, 90), (3, 2)])
def test_equals_crop_mode_without_padding(size_hw):
    """A padding-free net: features and image scores of both modes agree to 1e-5, for panoramas,
    for images smaller than a patch and for a line of pixels too."""
    image, _ = make_image(*size_hw)
    crop, dense = build('crop'), build('dense')
    windows = crop.sampler.grid(size_hw)
    assert np.array_equal(windows.xyxy, dense.sampler.grid(size_hw).xyxy) and len(windows) > 10
    with torch.no_grad():
        features = (
            crop.encoder.describe_patches(image, windows),
            dense.encoder.describe_patches(image, windows),
        )
        torch.testing.assert_close(*features, rtol=0, atol=1e-5)
        scores = [m.predict([image])[0].pred_score for m in (crop, dense)]
    torch.testing.assert_close(*scores, rtol=0, atol=1e-5)


@pytest.mark.parametrize('flip_prob, tolerance', [(0.0, 1e-5), (1.0, 1e-4)])
def test_training_losses_agree_without_padding(flip_prob, tolerance):
    """The same sampled patches give the same loss in both modes; mirrored, too: mirroring the
    image and its boxes equals mirroring each patch."""
    image, sample = make_image(70, 90)
    losses = []
    for mode in ('crop', 'dense'):
        model = build(mode, flip_prob=flip_prob).train()
        model.set_epoch(0, 0)
        losses.append(model.loss([image], [sample])['loss'])
    torch.testing.assert_close(*losses, rtol=0, atol=tolerance)


def test_a_batch_of_shapes_equals_single_images():
    """Bucketing images by resized shape changes no score."""
    model = build('dense')
    images = [make_image(70, 90, seed=i)[0] for i in range(3)] + [make_image(90, 70)[0]]
    with torch.no_grad():
        together = [s.pred_score for s in model.predict(images)]
        alone = [model.predict([image])[0].pred_score for image in images]
    for a, b in zip(together, alone, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-6)


@pytest.mark.parametrize('chunk', [1, 7, 500])
def test_chunk_size_does_not_change_dense_scores(chunk):
    """Chunks bound the memory and change nothing (1e-5)."""
    image, _ = make_image(70, 90)
    with torch.no_grad():
        scores = [build('dense', chunk_size=c).predict([image])[0].pred_score for c in (64, chunk)]
    torch.testing.assert_close(*scores, rtol=0, atol=1e-5)


def test_small_alexnet_windows():
    """Dense FC7 of the small net: windows of C5's map, close to crops (padding differs)."""
    image, _ = make_image(120, 160)
    crop = build_model(scales=(1.0, 2.0)).eval()
    dense = build_model(scales=(1.0, 2.0), feature_mode='dense').eval()
    assert (
        dense.encoder.map_stride == 16
        and dense.encoder.map_side == 3
        and dense.sampler.grid.snap == 16
    )
    boxes = dense.sampler.grid((120, 160))
    a, b = (model.encoder.describe_patches(image, boxes) for model in (crop, dense))
    assert a.shape == b.shape == (len(boxes), 256)
    assert torch.cosine_similarity(a, b).mean() > 0.8


def test_dense_training_of_fc6_over_shared_maps():
    """Convolutions frozen, FC6 trained: windows feed the trained layers."""
    model = build_model(frozen=('C1', 'C2', 'C3', 'C4', 'C5', 'FC7'), feature_mode='dense').train()
    model.set_epoch(0, 0)
    image, sample = make_image()
    model.loss([image], [sample])['loss'].backward()
    assert model.backbone.classifier[1].weight.grad is not None
    assert model.backbone.classifier[4].weight.grad is None


@pytest.mark.parametrize('mode', ['crop', 'dense'])
def test_no_context_leaks_into_the_consumer(mode, half_native):
    """Between chunks neither no_grad nor autocast is on: the head runs in float32 with a graph."""
    model = build_model(feature_mode=mode, frozen_dtype='bfloat16', chunk_size=2)
    image, _ = make_image()
    for _, _, features in model.encoder.iter_features([image], [model.sampler.grid((60, 80))]):
        assert torch.is_grad_enabled() and not torch.is_autocast_enabled('cpu')
        assert features.dtype == torch.float32 and not features.requires_grad
        assert model.voter.logits(features).dtype == torch.float32


def test_windows_and_pools_by_hand():
    """A 2×2 window at a cell, and its mean."""
    maps = torch.arange(12.0).view(1, 3, 4)
    cells = np.array([[0, 0], [1, 2]])
    assert map_windows(maps, cells, 2)[:, 0].tolist() == [[[0, 1], [4, 5]], [[6, 7], [10, 11]]]
    assert pooled(maps, cells, 2).tolist() == [[2.5], [8.5]]


@pytest.mark.parametrize(
    'boxes, found',
    [
        (grid_windows(121, 160, size=64), 'windows between the cells'),
        (grid_windows(120, 160, size=64, snap=16).xyxy, 'no windows of a grid'),
        (np.array([[5, 5, 50, 50]], np.float32), 'no windows of a grid'),
    ],
)
def test_patches_off_the_map_are_refused(boxes, found):
    """Patches that are no window of the map are an error that says what to set."""
    model = build_model(feature_mode='dense')
    image, _ = make_image(121, 160)
    with pytest.raises(ValueError, match=rf"feature_mode='dense'.*{found}.*snap=16.*'crop'"):
        model.encoder.describe_patches(image, boxes)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(
    st.integers(1, 2000),
    st.floats(1, 200),
    st.booleans(),
    st.floats(1, 32),
    st.sampled_from([(32, 1), (64, 16), (224, 8), (224, 32), (225, 32)]),
)
@example(100, 200.0, False, 32.0, (224, 32))  # 10 thousand million pixels
@example(48, 50.0, True, 4.0, (64, 16))
def test_every_grid_is_windows_of_maps(shorter, ratio, upright, scale, side_and_stride):
    """Any image and λ: each window is in one part, whole cells inside of it, and no part is
    larger than the limit allows."""
    size, stride = side_and_stride
    size_hw = (shorter, min(20_000, round(shorter * ratio)))
    size_hw = size_hw[::-1] if upright else size_hw
    windows = grid_windows(*size_hw, (1.0, scale), size=size, stride=size // 2, snap=stride)
    plan = dense_plan(snapped_windows(windows, stride), stride)
    assert np.array_equal(np.sort(np.concatenate([p.index for p in plan])), np.arange(len(windows)))
    for part in plan:
        start, sides = np.array(part.start), np.array(part.part)
        assert np.prod(sides) <= max(
            dense_module.MAX_RESIZED_PIXELS, (3 * size + 2 * stride) * min(part.shape)
        )
        assert not (start % stride).any() and not ((sides - size) % stride).any()
        assert (start >= 0).all() and (start + sides <= part.shape).all()
        assert (windows.shapes[part.index] == part.shape).all()
        assert np.array_equal(part.cells * stride + start, windows.offsets[part.index])
        assert (part.cells >= 0).all() and (part.cells * stride + size <= sides).all()


@pytest.mark.parametrize('upright', [False, True])
@pytest.mark.parametrize('kind', ['without padding', 'with padding'])
def test_strips_equal_the_whole_map(kind, upright, monkeypatch):
    """A panorama in strips has the features of its whole map, up to the pixels of two methods.

    Also with padding, because strips reach one patch side beyond their windows.
    """
    size_hw = (700, 30) if upright else (30, 700)
    image, _ = make_image(*size_hw)
    padded = kind == 'with padding'
    model = build_model(scales=(1.0, 2.0), feature_mode='dense') if padded else build('dense')
    windows = model.eval().sampler.grid(size_hw)
    with torch.no_grad():
        whole = model.encoder.describe_patches(image, windows)
        monkeypatch.setattr(dense_module, 'MAX_RESIZED_PIXELS', 40_000)
        assert len(dense_plan(windows, model.encoder.map_stride)) > 5
        strips = model.encoder.describe_patches(image, windows)
    torch.testing.assert_close(strips, whole, rtol=1e-3, atol=1e-3 * float(whole.abs().max()))


def test_trainable_convolutions_are_refused():
    """Dense mode needs frozen convolutions: no-pretrain runs crops."""
    with pytest.raises(ValueError, match='needs frozen'):
        build_model(frozen=(), feature_mode='dense')
