"""The point of a class: the middle of its map's maximal region, whatever the resolution."""

import numpy as np
import pytest
import torch

from tcnn_mm.patches.geometry import grid_boxes, mean_score_map
from tcnn_mm.patches.peaks import best_patches, map_peaks, map_shape, peaks_to_points, score_points


def peak(rows):
    return map_peaks(torch.tensor(rows, dtype=torch.float32)[None])[0].tolist()


def test_the_map_is_as_large_as_asked_and_never_larger_than_the_image():
    """Long side 500 by default; both sides shrink alike; no side vanishes."""
    assert map_shape((375, 500)) == (375, 500)
    assert map_shape((2000, 1000)) == (500, 250)
    assert map_shape((120, 160)) == (120, 160)
    assert map_shape((1, 4000), 100) == (1, 100)


def test_a_single_maximum():
    """Row and column of the largest cell, of each map by itself, of negative maps too."""
    assert peak([[0, 1, 0], [0, 0, 3]]) == [1, 2]
    assert peak([[-3, -2, -3], [-1, -5, -4]]) == [1, 0]


def test_a_plateau_gives_its_middle():
    """The maximum is a region: its middle, not its first corner."""
    plateau = np.zeros((9, 9))
    plateau[2:7, 3:8] = 0.5
    assert peak(plateau) == [4, 5]


def test_the_point_is_always_of_maximal_value():
    """A ring, and two regions: the middle of mass is off the region, the point is on it."""
    ring = np.ones((5, 5))
    ring[1:4, 1:4] = 0
    assert ring[tuple(peak(ring))] == 1
    assert peak([[0, 7, 0, 0, 0, 7, 0]]) == [0, 1]  # equally near: the first


def test_rounding_does_not_split_a_plateau():
    """Cells that differ by the last digits are one region; at any height of the map."""
    for height in (1.0, 1e-9):
        plateau = np.full((1, 7), height)
        plateau[0, 2:5] *= 2 * (1 + 1e-8 * np.array([0, -1, 1]))
        assert peak(plateau) == [0, 3]


def test_points_are_cell_centres_in_pixels():
    """A cell of a half-sized map is two pixels wide; x comes before y."""
    points = peaks_to_points(torch.tensor([[0, 0], [1, 3]]), (2, 4), (4, 8))
    assert points.tolist() == [[1, 1], [7, 3]]


def test_one_good_patch_points_at_its_middle():
    """One patch with a score: its centre, at full, half and uneven resolution."""
    boxes = torch.tensor([[0.0, 0, 200, 100], [40, 20, 80, 60]])
    scores = torch.tensor([[0.0, 0.0], [1.0, 0.5]])
    for long_side, error in ((200, 0.5), (100, 1), (37, 5.5)):
        points = score_points(boxes, scores, (100, 200), long_side)
        assert (points - torch.tensor([60.0, 40.0])).abs().max() <= error


def slow_point(boxes, scores, size_hw):
    """Per pixel the mean of the covering patches; of the best pixels the one nearest their mean."""
    best, where = -1.0, []
    for y in range(size_hw[0]):
        for x in range(size_hw[1]):
            covering = [
                s
                for (x1, y1, x2, y2), s in zip(boxes, scores, strict=True)
                if x1 <= x + 0.5 < x2 and y1 <= y + 0.5 < y2
            ]
            value = sum(covering) / len(covering) if covering else 0.0
            if value > best * (1 + 1e-9):
                best, where = value, []
            if value >= best * (1 - 1e-9):
                where.append((x + 0.5, y + 0.5))
    middle = np.mean(where, 0)
    return min(where, key=lambda p: ((np.array(p) - middle) ** 2).sum())


@pytest.mark.parametrize('seed', range(3))
def test_points_equal_a_loop_over_pixels(seed):
    """The whole way from scores to points, against loops in plain Python."""
    random = np.random.default_rng(seed)
    boxes = grid_boxes(30, 40, [1, 2, 3], size=16) - np.float32(1e-4)
    scores = random.random((len(boxes), 2)).astype(np.float32)
    points = score_points(torch.from_numpy(boxes), torch.from_numpy(scores), (30, 40))
    for k in range(2):
        expected = slow_point(boxes.tolist(), scores[:, k].tolist(), (30, 40))
        assert points[k].tolist() == pytest.approx(expected)


def test_a_map_of_the_papers_grid_equals_a_loop_at_single_pixels():
    """Nine scales on 500×375, 20 classes: 60 pixels computed one by one agree to 1e-5."""
    random = np.random.default_rng(0)
    boxes = grid_boxes(375, 500) - np.float32(1e-4)
    scores = random.random((len(boxes), 20)).astype(np.float32) ** 4
    maps = mean_score_map(torch.from_numpy(boxes), torch.from_numpy(scores), (375, 500), (375, 500))
    for _ in range(60):
        y, x = random.integers(375), random.integers(500)
        inside = (boxes[:, :2] <= (x + 0.5, y + 0.5)).all(1) & (
            boxes[:, 2:] > (x + 0.5, y + 0.5)
        ).all(1)
        expected = scores[inside].mean(0, dtype=np.float64)
        np.testing.assert_allclose(maps[:, y, x].numpy(), expected, atol=1e-5)


def test_asked_for_classes_are_the_same_maps():
    """A map does not depend on which other classes are asked for."""
    boxes = torch.from_numpy(grid_boxes(60, 80, size=32))
    scores = torch.rand(len(boxes), 5)
    whole = mean_score_map(boxes, scores, (60, 80), (60, 80))
    part = mean_score_map(boxes, scores[:, [3, 1]], (60, 80), (60, 80))
    assert torch.equal(part, whole[[3, 1]])
    assert torch.equal(map_peaks(part), map_peaks(whole)[[3, 1]])


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a GPU')
def test_points_on_a_gpu():
    """The same points where the scores are."""
    boxes = torch.from_numpy(grid_boxes(60, 80, size=32))
    scores = torch.rand(len(boxes), 5)
    there = score_points(boxes.cuda(), scores.cuda(), (60, 80))
    assert there.is_cuda
    torch.testing.assert_close(there.cpu(), score_points(boxes, scores, (60, 80)))


def test_best_patches_are_of_different_places():
    """Best first; of two patches that nearly coincide the better one alone."""
    boxes = torch.tensor([[0, 0, 10, 10], [1, 0, 11, 10], [50, 50, 60, 60], [90, 0, 99, 9.0]])
    scores = torch.tensor([0.8, 0.9, 0.3, 0.5])
    assert best_patches(boxes, scores, 2) == [1, 3]
    assert best_patches(boxes, scores, 9) == [1, 3, 2]
