"""Class activation maps: their mean is the score, and a cell lies where the network sees it."""

import numpy as np
import pytest
import torch

from tcnn_mm.analysis.cam import ActivationMaps, cells_to_points
from tcnn_mm.errors import UserError
from tests.support.patch_model import build_model, make_image


def test_cells_lie_symmetrically_in_the_image():
    """225 px, 8 cells 32 px apart: centres at 0.5 … 224.5; 224 px, 6 cells: from 32 on."""
    ends = np.array([[0, 0], [7, 7]])
    points = cells_to_points(ends, (8, 8), (225, 225), 32, (225, 225))
    assert points.tolist() == [[0.5, 0.5], [224.5, 224.5]]
    points = cells_to_points(np.array([[0, 5]]), (6, 6), (224, 224), 32, (448, 112))
    assert points.tolist() == [[96, 64]]  # x: (32 + 5 · 32) / 2, y: 32 · 2


class Images:
    """A few images, half of them with a class."""

    def __init__(self, n=6):
        self.items = [make_image(seed=i, labels=[i % 2], name=str(i)) for i in range(n)]
        for _, sample in self.items:
            sample.set_metainfo(dict(gt_label_difficult=[]))

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        return dict(inputs=self.items[i][0], data_samples=self.items[i][1])


@pytest.fixture(scope='module')
def maps():
    maps = ActivationMaps(build_model().eval(), scale=1.5)
    maps.fit(Images())
    return maps


def test_the_mean_of_the_map_is_the_score(maps):
    """The classifier's decision is the mean of its map, plus the bias: the same weights."""
    image = Images()[1]['inputs']
    scores, points = maps.point(image, [0, 1])
    cells, shape = maps.map_of(image)
    # The small network's C5 has 64 channels; the shorter side is 1.5 · 64 px.
    assert cells.shape[0] == 64 and 94 <= min(shape) <= 98 and maps.weights.shape == (64, 3)
    each = np.einsum('chw,ck->khw', cells.double().numpy(), maps.weights)
    np.testing.assert_allclose(each.mean((1, 2)) + maps.bias, scores, rtol=1e-5, atol=1e-6)
    assert points.shape == (2, 2)


def test_the_point_is_the_best_cell(maps):
    """An activation planted in one cell is found there, in pixels of the stored image."""
    image = Images()[0]['inputs']  # 60 × 80
    cells, shape = maps.map_of(image)
    planted = torch.zeros_like(cells)
    planted[7, 1, 2] = 1.0
    weights, original = np.zeros_like(maps.weights), maps.weights
    weights[7, 1] = 1.0
    maps.weights, maps.map_of = weights, lambda image: (planted, shape)
    scores, (point,) = maps.point(image, [1])
    maps.weights = original
    del maps.map_of
    first = (np.array(shape) - (np.array(planted.shape[1:]) - 1) * maps.stride) / 2
    y, x = first + np.array([1, 2]) * maps.stride
    assert point.tolist() == pytest.approx([x * 80 / shape[1], y * 60 / shape[0]])
    assert scores[1] == pytest.approx(maps.bias[1] + 1 / planted[0].numel())


def test_a_network_that_trains_is_refused():
    """Without frozen convolutions there is no common network to compare on."""
    with pytest.raises(UserError, match='frozen C1'):
        ActivationMaps(build_model(frozen=('FC6', 'FC7')).eval(), scale=1)
