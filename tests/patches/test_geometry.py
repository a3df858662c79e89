"""Grid, labelling rule and score map against small numbers worked out by hand."""

import numpy as np
import pytest
import torch

from tcnn_mm.patches.geometry import (
    PAPER_SCALES,
    grid_boxes,
    grid_offsets,
    intersections,
    label_patches,
    mean_score_map,
    resized_shape,
)

K = 20


def label(patches, boxes, labels, difficult=None, **rule):
    return label_patches(
        np.array(patches, np.float32).reshape(-1, 4),
        np.array(boxes, np.float32).reshape(-1, 4),
        labels,
        difficult,
        num_classes=K,
        **rule,
    )


def test_paper_scales():
    """The nine scales that the paper prints."""
    assert PAPER_SCALES == (1, 1.3, 1.6, 2, 2.4, 2.8, 3.2, 3.6, 4)


def test_default_patch_count():
    """About 500 patches on a 500×375 picture, 275 at exactly 50 % overlap (PAPER, sec. 3)."""
    assert 450 <= len(grid_boxes(375, 500)) <= 600
    assert len(grid_boxes(375, 500, overlap=0.5)) == 275


@pytest.mark.parametrize(
    'height, width', [(375, 500), (500, 333), (30, 30), (31, 200), (4000, 6000)]
)
def test_grid_touches_every_border_and_stays_inside(height, width):
    """At each scale the outermost patches end at the picture's border."""
    for scale in PAPER_SCALES:
        boxes = grid_boxes(height, width, [scale])
        np.testing.assert_allclose(boxes.min(0)[:2], 0, atol=1e-3)
        np.testing.assert_allclose(boxes.max(0)[2:], [width, height], rtol=1e-6)


@pytest.mark.parametrize('overlap', [0.0, 0.5, 0.65, 0.8])
def test_neighbours_overlap_enough(overlap):
    """Neighbours share at least the asked overlap, but for one pixel of rounding."""
    for scale in PAPER_SCALES:
        rows, columns = resized_shape(375, 500, scale, 224)
        for length in (rows, columns):
            steps = np.diff(grid_offsets(length, 224, 224 * (1 - overlap)))
            assert (steps <= 224 * (1 - overlap) + 1).all()


def test_patches_are_whole_pixels_of_the_resized_picture():
    """Each box, scaled to its resized picture, has integer corners and side S."""
    boxes = grid_boxes(375, 500, [2.4], size=224).astype(np.float64)
    rows, columns = resized_shape(375, 500, 2.4, 224)
    scaled = boxes.copy()
    scaled[:, 0::2] *= columns / 500
    scaled[:, 1::2] *= rows / 375
    np.testing.assert_allclose(scaled, np.rint(scaled), atol=1e-3)
    np.testing.assert_allclose(scaled[:, 2] - scaled[:, 0], 224, atol=1e-3)


def test_side_is_min_side_over_scale():
    """s = min(w, h) / λ up to the rounding of the resized picture."""
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


@pytest.mark.parametrize(
    'box, expected',
    [
        ([0, 0, 100, 20], 3),  # exactly 0.2 of the patch
        ([0, 0, 100, 19.9], K),  # too small
        ([50, 0, 133, 100], 3),  # 50/83 = 0.602 of the object inside
        ([50, 0, 134, 100], K),  # 50/84 = 0.595: cut off is background
        ([200, 0, 300, 100], K),  # elsewhere
        ([0, 0, 100, 100], 3),
    ],
)
def test_the_rule_of_the_paper(box, expected):
    """|P∩B| ≥ 0.2|P| and ≥ 0.6|B|; what passes neither is background."""
    labels, owner = label([[0, 0, 100, 100]], [box], [3])
    assert labels[0] == expected and owner[0] == (0 if expected == 3 else -1)


def test_two_passing_objects_delete_the_patch():
    """Figure 4: two labels → deleted, not background; one passing beside a small one → kept."""
    patch = [[0, 0, 100, 100]]
    assert label(patch, [[0, 0, 50, 100], [50, 0, 100, 100]], [1, 2])[0][0] == -1
    assert label(patch, [[0, 0, 50, 100], [60, 0, 70, 10]], [1, 2])[0][0] == 1


def test_same_class_pairs():
    """Two objects of one class: deleted by default, the bigger one's with 'keep'."""
    pair = ([[0, 0, 100, 100]], [[0, 0, 30, 100], [40, 0, 100, 100]], [5, 5])
    assert label(*pair)[0][0] == -1
    labels, owner = label(*pair, same_class='keep')
    assert labels[0] == 5 and owner[0] == 1
    mixed = ([[0, 0, 100, 100]], [[0, 0, 30, 100], [40, 0, 100, 100]], [5, 6])
    assert label(*mixed, same_class='keep')[0][0] == -1


@pytest.mark.parametrize(
    'how, alone, beside', [('ignore', -1, 1), ('object', 2, -1), ('background', K, 1)]
)
def test_difficult_objects(how, alone, beside):
    """Alone in a patch, and beside an ordinary object, under each switch."""
    patch = [[0, 0, 100, 100]]
    assert label(patch, [[0, 0, 50, 100]], [2], [True], difficult_as=how)[0][0] == alone
    both = [[0, 0, 50, 100], [50, 0, 100, 100]]
    assert label(patch, both, [1, 2], [False, True], difficult_as=how)[0][0] == beside


def test_strict_reading_of_three():
    """strict: any second object that is touched deletes the patch."""
    patch, boxes = [[0, 0, 100, 100]], [[0, 0, 50, 100], [95, 95, 120, 120]]
    assert label(patch, boxes, [1, 2])[0][0] == 1
    assert label(patch, boxes, [1, 2], strict=True)[0][0] == -1


def test_no_objects_is_all_background():
    """An empty annotation gives background patches without an owner."""
    labels, owner = label([[0, 0, 9, 9]], [], [])
    assert labels.tolist() == [K] and owner.tolist() == [-1]


def test_labels_equal_a_slow_loop():
    """The vectorised rule equals the paper's sentence written as loops, on random boxes."""
    random = np.random.default_rng(0)
    patches = grid_boxes(120, 160, size=32)
    for _ in range(20):
        xy = random.uniform(0, 100, (4, 2))
        boxes = np.concatenate([xy, xy + random.uniform(10, 60, (4, 2))], 1)
        names = random.integers(0, K, 4)
        fast = label(patches, boxes, names)[0]
        for patch, got in zip(patches.astype(float), fast, strict=True):
            passing = []
            for box, name in zip(boxes.astype(np.float32).astype(float), names, strict=True):
                w = min(patch[2], box[2]) - max(patch[0], box[0])
                h = min(patch[3], box[3]) - max(patch[1], box[1])
                shared = max(w, 0) * max(h, 0)
                area = (patch[2] - patch[0]) * (patch[3] - patch[1])
                size = (box[2] - box[0]) * (box[3] - box[1])
                if shared >= 0.2 * area and shared >= 0.6 * size:
                    passing.append(name)
            expected = K if not passing else passing[0] if len(passing) == 1 else -1
            assert got == expected


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
    """The damped mean is the mean with so many more patches of score 0 over the whole picture."""
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
