"""Fewer maps: each patch keeps its box, and its feature is the mean of the cells under it."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from tcnn_mm.checkpoints.metadata import model_record
from tcnn_mm.checkpoints.strict import record_differences
from tcnn_mm.models.encoder import dense as dense_module
from tcnn_mm.models.encoder.dense import dense_plan
from tcnn_mm.models.encoder.shared_maps import cell_weights, read_parts, share_maps
from tcnn_mm.patches.geometry import grid_windows
from tests.support.patch_model import build_dense, build_model, make_image

SIZE, STRIDE = 32, 4


class Means(nn.Module):
    """A cell is the mean of its 4 × 4 pixels: features of boxes are known in closed form."""

    preprocessing = dict(size=SIZE, mean=(0.0,) * 3, std=(1.0,) * 3, channel_order='rgb')

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, x):
        return (self.scale * nn.functional.avg_pool2d(x, STRIDE),)


def build(dense_scales, scales=(1.0, 1.3, 1.7, 2.2)):
    return build_dense(Means(), dict(scales=scales), 3, dense_scales=dense_scales)


def ramps(height, width):
    """An image whose channels are the column, the row, and a constant: (3, H, W) uint8."""
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing='ij')
    return torch.stack([columns, rows, torch.full_like(rows, 77)]).to(torch.uint8)


@pytest.mark.parametrize('size_hw', [(90, 120), (128, 100)])
def test_a_patch_reads_what_is_under_its_box(size_hw):
    """Of a network whose cells are means of pixels, the feature of a patch is the mean of the
    image under its box, from the map of any scale: on ramps, the centre of the box."""
    image = ramps(*size_hw)
    model = build(dense_scales=(1.0, 1.7))
    windows = model.sampler.grid(size_hw)
    features = model.encoder.describe_patches(image, windows).numpy()
    centres = (windows.xyxy[:, :2] + windows.xyxy[:, 2:]) / 2 - 0.5
    # Resizing with a triangle filter bends a ramp by up to half a pixel at the border.
    low, high = windows.xyxy[:, :2] - 4, windows.xyxy[:, 2:] + 4
    inside = (low >= 0).all(1) & (high <= size_hw[::-1]).all(1)
    assert inside.sum() > 20
    np.testing.assert_allclose(features[inside, :2], centres[inside], atol=0.1)
    np.testing.assert_allclose(features[:, 2], 77, atol=1e-3)


def test_maps_of_every_scale_change_nothing():
    """With the grid's own scales, patches are the same whole windows as without the option."""
    image, _ = make_image(90, 120)
    windows = build(None).sampler.grid((90, 120))
    own, shared = (
        build(scales).encoder.describe_patches(image, windows)
        for scales in (None, (1.0, 1.3, 1.7, 2.2))
    )
    torch.testing.assert_close(shared, own, rtol=1e-5, atol=1e-4)


def test_windows_of_fewer_cells():
    """A patch of λ = 2 on the map of λ = 1 is half as many cells wide, at the place of its box."""
    windows = grid_windows(64, 96, (1.0, 2.0), size=SIZE, snap=STRIDE)
    placed = share_maps(windows, (64, 96), (1.0,), STRIDE)
    assert (placed.shapes == (32, 48)).all()
    own = windows.shapes[:, 0] == 64
    assert own.sum() > 10 and (placed.sides[own] == SIZE / 2).all()
    np.testing.assert_allclose(placed.offsets[own], windows.offsets[own] / 2)
    np.testing.assert_allclose(placed.offsets[own] * 2, windows.xyxy[own][:, 1::-1], atol=1e-4)
    assert (placed.sides[~own] == SIZE).all()
    assert np.array_equal(placed.offsets[~own], windows.offsets[~own])


def test_shares_of_cells_by_hand():
    """[0.5, 2.5) of four cells; halves of [1, 4); rows sum to one."""

    def weights(first, count, **options):
        return cell_weights(torch.tensor([first]).double(), torch.tensor(count), 4, **options)

    assert weights(0.5, 2.0).tolist() == [[[0.25, 0.5, 0.25, 0]]]
    halves = weights(1.0, 3.0, parts=2)[0]
    np.testing.assert_allclose(halves, [[0, 2 / 3, 1 / 3, 0], [0, 0, 1 / 3, 2 / 3]], rtol=1e-6)


def test_whole_cells_are_cut_out():
    """Windows of as many whole cells as there are parts are those cells, as FC6 takes them."""
    maps = torch.randn(5, 7, 9, generator=torch.Generator().manual_seed(0))
    first = np.array([[0, 0], [3, 4], [1, 2]], np.float64)
    found = read_parts(maps, first, np.full((3, 2), 3.0), 3)
    for one, (y, x) in zip(found, first.astype(int), strict=True):
        torch.testing.assert_close(one, maps[:, y : y + 3, x : x + 3])


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    st.integers(20, 400),
    st.floats(1, 6),
    st.booleans(),
    st.lists(st.floats(1, 8), min_size=1, max_size=4),
    st.lists(st.floats(1, 8), min_size=0, max_size=3),
    st.sampled_from([(32, 4), (64, 16), (225, 32)]),
)
def test_every_window_is_inside_of_its_map(shorter, ratio, upright, scales, maps, side_and_stride):
    """Any image, scales and maps: windows lie on their map, and are never larger than S by more
    than the rounding of a map to whole cells."""
    size, stride = side_and_stride
    size_hw = (shorter, round(shorter * ratio))
    size_hw = size_hw[::-1] if upright else size_hw
    windows = grid_windows(*size_hw, scales, size=size, stride=size, snap=stride)
    placed = share_maps(windows, size_hw, sorted({1.0, *maps}), stride)
    assert (placed.offsets >= 0).all()
    assert (placed.offsets + placed.sides <= placed.shapes + 1e-6).all()
    assert (placed.sides <= size * (1 + stride / size)).all()
    plan = dense_plan(placed, stride)
    index = np.sort(np.concatenate([part.index for part in plan]))
    assert np.array_equal(index, np.arange(len(windows)))


@pytest.mark.parametrize('upright', [False, True])
def test_strips_equal_the_whole_map(upright, monkeypatch):
    """A panorama in strips has the features of its whole maps."""
    size_hw = (700, 40) if upright else (40, 700)
    image, _ = make_image(*size_hw)
    model = build(dense_scales=(1.0, 1.7))
    windows = model.sampler.grid(size_hw)
    whole = model.encoder.describe_patches(image, windows)
    monkeypatch.setattr(dense_module, 'MAX_RESIZED_PIXELS', 10_000)
    placed = share_maps(windows, size_hw, (1.0, 1.7), STRIDE)
    assert len(dense_plan(placed, STRIDE)) > 5
    strips = model.encoder.describe_patches(image, windows)
    torch.testing.assert_close(strips, whole, rtol=1e-3, atol=0.5)


def test_mirrored_images():
    """Patches of a mirrored image are those of the image, mirrored."""
    image, _ = make_image(90, 120)
    model = build(dense_scales=(1.0, 1.7))
    windows = model.sampler.grid((90, 120))
    flips = [np.ones(len(windows), bool)]
    (found,) = [part for _, _, part in model.encoder.iter_features([image], [windows], flips)]
    plain = model.encoder.describe_patches(image, windows)
    torch.testing.assert_close(found, plain, rtol=1e-3, atol=0.5)


def test_layers_above_the_map_read_resampled_windows():
    """FC6 and FC7 get as many cells as they need, from a window of fewer."""
    image, _ = make_image(120, 160)
    own = build_model(scales=(1.0, 2.0), feature_mode='dense').eval()
    shared = build_model(scales=(1.0, 2.0), feature_mode='dense', dense_scales=(1.0,)).eval()
    shared.load_state_dict(own.state_dict())
    windows = own.sampler.grid((120, 160))
    a, b = (model.encoder.describe_patches(image, windows) for model in (own, shared))
    large = windows.shapes[:, 0] == windows.shapes[:, 0].min()
    assert a.shape == b.shape and large.any() and not large.all()
    torch.testing.assert_close(b[large], a[large], rtol=1e-4, atol=1e-5)
    assert torch.cosine_similarity(a, b)[~large].mean() > 0.5


@pytest.mark.parametrize('scales', [(), (0.5, 2.0), (float('nan'),)])
def test_wrong_scales_are_refused(scales):
    """At build, with the values."""
    with pytest.raises(ValueError, match='dense_scales=.*λ ≥ 1'):
        build(dense_scales=scales)


def test_a_scale_without_a_map_is_refused():
    """Where all maps are finer than a patch, with its λ."""
    model = build(dense_scales=(2.0,))
    with pytest.raises(ValueError, match=r'dense_scales=\(2.0,\) has no map for patches of λ = 1'):
        model.encoder.describe_patches(make_image(90, 120)[0], model.sampler.grid((90, 120)))


def test_crop_mode_has_no_maps():
    """The option of dense mode changes nothing there, as `dense_tile`."""
    assert build_model(dense_scales=(1.0,)).encoder.dense_scales is None


def test_the_record_of_a_checkpoint_has_the_scales():
    """So that a checkpoint alone predicts with the same maps, and other maps are refused."""
    assert model_record(build((1.7, 1.0)))['dense_scales'] == [1.0, 1.7]
    assert model_record(build(None))['dense_scales'] is None
    stored, own = (model_record(build(scales)) for scales in ((1.0,), None))
    assert list(record_differences(stored, own)) == ['dense_scales']
    assert not record_differences({}, own), 'older checkpoints lack it'
