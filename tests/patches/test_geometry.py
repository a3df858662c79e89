"""Grid, areas and score map: small numbers worked out by hand, loops, and closed forms."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tcnn_mm.patches.geometry import (
    PAPER_SCALES,
    SQUARE_SIDES,
    areas,
    grid_boxes,
    grid_offsets,
    intersections,
    mean_score_map,
    resized_shape,
    square_around,
)


def test_paper_scales():
    """The nine scales that the paper prints."""
    assert PAPER_SCALES == (1, 1.3, 1.6, 2, 2.4, 2.8, 3.2, 3.6, 4)


def test_default_patch_count():
    """496 patches on a 500×375 image ("around 500" in the paper), 275 at 50 % overlap."""
    assert len(grid_boxes(375, 500)) == len(grid_boxes(500, 375)) == 496
    assert len(grid_boxes(375, 500, overlap=0.5)) == 275


@pytest.mark.parametrize(
    'height, width', [(375, 500), (500, 333), (30, 30), (31, 200), (4000, 6000)]
)
def test_grid_touches_every_border_and_stays_inside(height, width):
    """At each scale the outermost patches end at the image's border."""
    for scale in PAPER_SCALES:
        boxes = grid_boxes(height, width, [scale])
        np.testing.assert_allclose(boxes.min(0)[:2], 0, atol=1e-3)
        np.testing.assert_allclose(boxes.max(0)[2:], [width, height], rtol=1e-6)


@pytest.mark.parametrize('overlap', [0.0, 0.5, 0.65, 0.8])
def test_adjacent_patches_overlap_enough(overlap):
    """Adjacent patches share at least the given overlap, but for one pixel of rounding."""
    for scale in PAPER_SCALES:
        rows, columns = resized_shape(375, 500, scale, 224)
        for length in (rows, columns):
            steps = np.diff(grid_offsets(length, 224, 224 * (1 - overlap)))
            assert (steps <= 224 * (1 - overlap) + 1).all()


def test_patches_are_whole_pixels_of_the_resized_image():
    """Each box, scaled to its resized image, has integer corners and side S."""
    boxes = grid_boxes(375, 500, [2.4], size=224).astype(np.float64)
    rows, columns = resized_shape(375, 500, 2.4, 224)
    scaled = boxes.copy()
    scaled[:, 0::2] *= columns / 500
    scaled[:, 1::2] *= rows / 375
    np.testing.assert_allclose(scaled, np.rint(scaled), atol=1e-3)
    np.testing.assert_allclose(scaled[:, 2] - scaled[:, 0], 224, atol=1e-3)


def test_side_is_min_side_over_scale():
    """s = min(w, h) / λ up to the rounding of the resized image."""
    for scale in PAPER_SCALES:
        boxes = grid_boxes(375, 500, [scale])
        side = boxes[0, 3] - boxes[0, 1]
        assert side == pytest.approx(375 / scale, rel=0.5 / 224)


@pytest.mark.parametrize('snap', [16, 32])
def test_snap_puts_offsets_on_the_feature_stride(snap):
    """With snap, offsets and borders are multiples of it."""
    rows, columns = resized_shape(375, 500, 2.0, 224, snap)
    assert (rows - 224) % snap == 0 and (columns - 224) % snap == 0
    offsets = grid_offsets(columns, 224, 64, snap)
    assert (offsets % snap == 0).all() and offsets[-1] == columns - 224


def test_stride_replaces_overlap():
    """A stride in patch pixels is the largest step."""
    assert np.diff(grid_offsets(896, 224, 64)).max() <= 64


def test_intersections_by_hand():
    """Half-overlapping, touching and disjoint boxes."""
    got = intersections([[0, 0, 10, 10]], [[5, 0, 15, 10], [10, 0, 20, 10], [2, 2, 4, 4]])
    np.testing.assert_allclose(got, [[50, 0, 4]])


def brute_map(boxes, scores, size_hw, map_hw):
    """Per pixel: the mean score of the patches that hold its centre."""
    height, width = map_hw
    result = np.zeros((scores.shape[1], height, width))
    for i in range(height):
        for j in range(width):
            y, x = (i + 0.5) * size_hw[0] / height, (j + 0.5) * size_hw[1] / width
            inside = [b[0] <= x < b[2] and b[1] <= y < b[3] for b in boxes]
            if any(inside):
                result[:, i, j] = scores[inside].mean(0)
    return result


@pytest.mark.parametrize('map_hw', [(60, 80), (37, 41), (120, 160)])
def test_score_map_equals_a_loop_over_pixels(map_hw):
    """Mean over covering patches, at any resolution, to 1e-5."""
    random = np.random.default_rng(1)
    boxes = grid_boxes(60, 80, [1, 1.7, 3], size=32)
    scores = random.random((len(boxes), 3)).astype(np.float32)
    got = mean_score_map(torch.from_numpy(boxes), torch.from_numpy(scores), (60, 80), map_hw)
    # Half-way cases are decided by float rounding; the loop gets boxes nudged the same way.
    expected = brute_map(boxes - 1e-6, scores, (60, 80), map_hw)
    np.testing.assert_allclose(got.numpy(), expected, atol=1e-5)


def test_damping_adds_patches_of_score_zero():
    """The damped mean is the mean with so many more patches of score 0 over the whole image."""
    boxes = torch.from_numpy(grid_boxes(60, 80, [1, 2], size=32))
    scores = torch.rand(len(boxes), 2)
    damped = mean_score_map(boxes, scores, (60, 80), (60, 80), damping=3)
    whole = torch.tensor([[0.0, 0, 80, 60]]).repeat(3, 1)
    more = mean_score_map(
        torch.cat([boxes, whole]), torch.cat([scores, torch.zeros(3, 2)]), (60, 80), (60, 80)
    )
    torch.testing.assert_close(damped, more)


def test_uncovered_pixels_are_zero():
    """A map is 0 where no patch lies, never nan."""
    got = mean_score_map(torch.tensor([[0.0, 0, 2, 2]]), torch.ones(1, 1), (4, 4), (4, 4))
    assert got[0].tolist() == [[1, 1, 0, 0]] * 2 + [[0, 0, 0, 0]] * 2


FAST = settings(max_examples=50, deadline=None, derandomize=True)


@FAST
@given(
    height=st.integers(1, 3000),
    width=st.integers(1, 3000),
    scale=st.floats(1, 12),
    overlap=st.floats(0, 0.9),
    size=st.sampled_from([8, 64, 224]),
    snap=st.sampled_from([1, 8, 32]),
)
def test_a_grid_lies_inside_the_image_and_touches_its_border(
    height, width, scale, overlap, size, snap
):
    """For any image and settings: no box outside, all of one size, none twice, all borders met."""
    boxes = grid_boxes(height, width, [scale], overlap, size, snap=snap).astype(np.float64)
    border = np.array([width, height])
    assert (boxes >= 0).all() and (boxes[:, 2:] <= border * (1 + 1e-6)).all()
    np.testing.assert_allclose(boxes.min(0)[:2], 0, atol=1e-6)
    np.testing.assert_allclose(boxes.max(0)[2:], border, rtol=1e-6)
    sides = boxes[:, 2:] - boxes[:, :2]
    np.testing.assert_allclose(sides, sides[:1].repeat(len(sides), 0), atol=1e-6 * max(border))
    assert len(np.unique(boxes[:, :2], axis=0)) == len(boxes)


def random_boxes(seed, count, side=40):
    """(count, 4) float64 boxes with corners on whole pixels, each at least one pixel large."""
    random = np.random.default_rng(seed)
    low = random.integers(0, side - 1, (count, 2))
    high = random.integers(low + 1, side + 1)
    return np.concatenate([low, high], 1).astype(np.float64)


@FAST
@given(st.integers(0, 2**32), st.integers(0, 6), st.integers(0, 6))
def test_intersections_have_their_closed_forms(seed, first, second):
    """Symmetric, at most either area, a box with itself its area; equal to counting pixels."""
    a, b = random_boxes(seed, first), random_boxes(seed + 1, second)
    shared = intersections(a, b)
    assert shared.shape == (first, second)
    assert np.array_equal(shared, intersections(b, a).T)
    assert (shared <= areas(a)[:, None]).all() and (shared <= areas(b)[None]).all()
    assert np.array_equal(np.diag(intersections(a, a)), areas(a))
    pixels = [np.zeros((len(boxes), 40, 40), bool) for boxes in (a, b)]
    for masks, boxes in zip(pixels, (a, b), strict=True):
        for mask, (x1, y1, x2, y2) in zip(masks, boxes.astype(int), strict=True):
            mask[y1:y2, x1:x2] = True
    counted = (pixels[0][:, None] & pixels[1][None]).sum((2, 3))
    assert np.array_equal(shared, counted)


@FAST
@given(st.integers(0, 2**32), st.integers(1, 8), st.floats(0, 30))
def test_a_score_map_keeps_the_mass_of_its_patches(seed, count, damping):
    """Σ map · (patches over the cell + damping) = Σ score · area, for boxes of whole pixels."""
    boxes = random_boxes(seed, count)
    scores = np.random.default_rng(seed).random((count, 2))
    maps = mean_score_map(
        torch.from_numpy(boxes), torch.from_numpy(scores), (40, 40), (40, 40), damping
    )
    over = np.zeros((40, 40))
    for x1, y1, x2, y2 in boxes.astype(int):
        over[y1:y2, x1:x2] += 1
    mass = (maps.double().numpy() * (over + damping)).sum((1, 2))
    np.testing.assert_allclose(mass, areas(boxes) @ scores, rtol=1e-5)
    highest = torch.from_numpy(scores).amax(0)[:, None, None]
    assert (maps >= -1e-12).all() and (maps <= highest + 1e-6).all()
    assert (maps[:, torch.from_numpy(over == 0)].abs() < 1e-12).all()


@FAST
@given(
    st.floats(-100, 100), st.floats(-100, 100), st.floats(1, 200), st.floats(1, 200),
    st.sampled_from(SQUARE_SIDES), st.floats(-0.9, 2),
)  # fmt: skip
def test_squares_are_centred(x, y, wide, tall, side, margin):
    """A square has the centre of its box, and the side that is asked for."""
    x1, y1, x2, y2 = square_around(np.array([x, y, x + wide, y + tall]), side, margin)
    expected = dict(max=max(wide, tall), min=min(wide, tall), area=(wide * tall) ** 0.5)[side]
    assert x2 - x1 == pytest.approx(expected * (1 + margin), abs=1e-9)
    assert y2 - y1 == pytest.approx(expected * (1 + margin), abs=1e-9)
    assert (x1 + x2, y1 + y2) == pytest.approx((2 * x + wide, 2 * y + tall), abs=1e-9)
