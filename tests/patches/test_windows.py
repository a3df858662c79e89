"""Windows of a grid are integers: inside their resized image at any size, and boxes as before."""

import hashlib

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tcnn_mm.patches import PatchGrid
from tcnn_mm.patches.geometry import grid_boxes, grid_windows, resized_shape

# Size (height, width), settings, number of boxes, and their bytes as commit b168254 gave them.
BEFORE = [
    ((375, 500), {}, 496, 'f9e16f8b5d543ccf'),
    ((500, 333), dict(overlap=0.5), 314, 'efb3f7d615d14b7c'),
    ((480, 640), dict(stride=96, snap=32), 330, '759064627c820ce4'),
    ((60, 80), dict(size=64, snap=16, stride=32), 262, '286816aba7558c06'),
    ((131, 672), dict(size=64, snap=16, scales=(1.0, 2.4)), 218, 'e51e1ff6cbf9063c'),
    ((4000, 6000), dict(snap=8), 558, 'bb01870b65a391a0'),
    ((30, 30), dict(size=32), 360, '35ff82e40a835b92'),
    ((1, 1), {}, 360, 'a7969b68dc2d9e2b'),
    ((1242, 375), dict(size=225, snap=32, stride=64, scales=(1.0, 4.0)), 537, '9aeeb2dc20d903d6'),
]


@pytest.mark.parametrize('size_hw, options, count, digest', BEFORE)
def test_boxes_did_not_change_by_a_bit(size_hw, options, count, digest):
    """Banks and scores of earlier runs stay valid: float32 boxes are bit-equal."""
    boxes = grid_boxes(*size_hw, **options)
    assert boxes.dtype == np.float32 and len(boxes) == count
    assert hashlib.sha256(np.ascontiguousarray(boxes, '<f4').tobytes()).hexdigest()[:16] == digest


@st.composite
def image_sizes(draw):
    """(height, width) of 1 … 20,000 pixels, up to 1:200, either way round."""
    longer = draw(st.integers(1, 20_000))
    shorter = draw(st.integers(-(-longer // 200), longer))
    return draw(st.permutations((longer, shorter)))


@settings(max_examples=80, deadline=None, derandomize=True)
@given(
    image_sizes(),
    st.floats(1, 32),
    st.sampled_from([(32, 1), (64, 16), (224, 1), (224, 8), (224, 16), (224, 32), (225, 32)]),
    st.sampled_from([None, 32, 96]),
)
@example((100, 20_000), 32.0, (224, 32), 96)  # 1.4 million columns
@example((20_000, 100), 20.0, (64, 16), None)
@example((1, 1), 32.0, (224, 32), None)
@example((1, 200), 4.0, (64, 16), 32)
@example((48, 2400), 4.0, (64, 16), 16)  # a panorama that had "no window of the map"
@example((131, 672), 20.0, (64, 16), 16)
@example((100, 101), 1.0, (224, 32), 96)  # the rounding makes it square
def test_every_window_lies_in_its_resized_image(size_hw, scale, side_and_snap, stride):
    """For any image and λ: windows inside, multiples of the stride, none twice, boxes inside.

    There is at most one row and one column more than the step asks for.
    """
    (size, snap), (height, width) = side_and_snap, size_hw
    windows = grid_windows(height, width, (scale,), 0.65, size, stride, snap)
    shape, offsets = np.array(resized_shape(height, width, scale, size, snap)), windows.offsets
    assert windows.shapes.dtype == offsets.dtype == np.int64 and windows.xyxy.dtype == np.float32
    assert (windows.shapes == shape).all() and not ((shape - size) % snap).any()
    assert not (offsets % snap).any()
    assert offsets.min() == 0 and np.array_equal(offsets.max(0), shape - size)
    order = offsets[:, 0] * shape[1] + offsets[:, 1]
    assert (np.diff(order) > 0).all()
    step = max(snap, size * 0.35 if stride is None else stride)
    assert len(windows) <= np.prod((shape - size) / step + 2)
    border = np.array([width, height])
    assert (windows.xyxy >= 0).all()
    assert (windows.xyxy[:, 2:] <= border * (1 + 1e-6)).all()
    assert (windows.xyxy[:, 2:] > windows.xyxy[:, :2]).all()


def test_windows_of_all_scales_in_their_order():
    """A grid is its scales one after the other; boxes follow from shape and offset."""
    grid = PatchGrid(scales=(1.0, 2.4), size=64, snap=16)
    windows = grid((131, 672))
    each = [grid.windows_at((131, 672), scale) for scale in grid.scales]
    for name in ('xyxy', 'shapes', 'offsets'):
        joined = np.concatenate([getattr(part, name) for part in each])
        assert np.array_equal(getattr(windows, name), joined)
    shapes, group = windows.by_shape()
    assert np.array_equal(shapes[group], windows.shapes)
    assert shapes.tolist() == [list(resized_shape(131, 672, s, 64, 16)) for s in grid.scales]
    unit = np.array([131, 672]) / windows.shapes
    corners = np.concatenate([windows.offsets, windows.offsets + 64], 1) * np.tile(unit, 2)
    np.testing.assert_allclose(windows.xyxy, corners[:, [1, 0, 3, 2]], rtol=1e-6)


@pytest.mark.parametrize('index', [np.array([3, 1]), slice(2, 5), [0]])
def test_chosen_windows_keep_their_places(index):
    """Indices and slices choose boxes, shapes and offsets together."""
    windows = grid_windows(60, 80, (1.0, 2.0), size=32)
    chosen = windows[index]
    assert np.array_equal(chosen.xyxy, windows.xyxy[index]) and len(chosen) == len(chosen.xyxy)
    assert np.array_equal(chosen.shapes, windows.shapes[index])
    assert np.array_equal(chosen.offsets, windows.offsets[index]) and chosen.size == 32


def test_mirrored_windows():
    """A window keeps its rows and its distance to the other border; mirrored again, it is back."""
    windows = grid_windows(60, 81, (1.0, 1.7, 3.0), size=32, snap=4)
    mirrored = windows.mirrored(81)
    assert np.array_equal(mirrored.offsets[:, 0], windows.offsets[:, 0])
    ends = windows.offsets[:, 1] + 32
    assert np.array_equal(mirrored.offsets[:, 1], windows.shapes[:, 1] - ends)
    np.testing.assert_allclose(mirrored.xyxy[:, 0], 81 - windows.xyxy[:, 2], atol=1e-4)
    back = mirrored.mirrored(81)
    assert np.array_equal(back.offsets, windows.offsets)
    np.testing.assert_allclose(back.xyxy, windows.xyxy, atol=1e-4)
