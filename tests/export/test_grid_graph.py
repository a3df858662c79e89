"""The grid and the maps of a graph are those of `patches.geometry`, to the last integer."""

import numpy as np
import pytest
import torch

pytest.importorskip('onnx')

from tcnn_mm.export.graph_writer import GraphWriter  # noqa: E402
from tcnn_mm.export.grid_graph import grid_line, map_side, mean_maps  # noqa: E402
from tcnn_mm.patches.geometry import PAPER_SCALES, grid_lines, mean_score_map  # noqa: E402
from tcnn_mm.patches.grid import PatchGrid  # noqa: E402
from tcnn_mm.patches.peaks import map_shape  # noqa: E402

GRIDS = [
    PatchGrid(),
    PatchGrid(size=225, snap=32),
    PatchGrid(scales=(1.0, 1.7), size=64, stride=16, snap=16),
    PatchGrid(scales=(1.0, 2.5), size=64, stride=20.5),
]
SIZES = [(375, 500), (500, 333), (1, 1), (64, 64), (37, 480), (1080, 1920), (225, 226)]


def lines_of(grid: PatchGrid, scale: float, height: int, width: int) -> tuple:
    """Rows and columns as constants of a graph."""
    sides = np.float64(height), np.float64(width)
    return tuple(grid_line(GraphWriter(), grid, scale, side, min(sides)) for side in sides)


@pytest.mark.parametrize('grid', GRIDS, ids=str)
def test_the_windows(grid: PatchGrid) -> None:
    """Sides of resized images and starts of windows, at image sizes of every kind."""
    for height, width in SIZES:
        for scale in grid.scales:
            shape, y, x = grid_lines(
                height, width, scale, grid.overlap, grid.size, grid.stride, grid.snap
            )
            rows, columns = lines_of(grid, scale, height, width)
            assert (rows.length, columns.length) == shape
            np.testing.assert_array_equal(rows.starts, y)
            np.testing.assert_array_equal(columns.starts, x)


def test_windows_at_many_sizes() -> None:
    """Roundings at a half are those of Python, wherever they occur."""
    grid = PatchGrid(scales=(1.3,), size=64, snap=16)
    for side in range(64, 400, 3):
        shape, y, _ = grid_lines(side, 200, 1.3, 0.65, 64, None, 16)
        rows, _ = lines_of(grid, 1.3, side, 200)
        assert rows.length == shape[0] and np.array_equal(rows.starts, y)


@pytest.mark.parametrize('damping', [0, 20])
@pytest.mark.parametrize('size_hw', [(60, 80), (375, 500), (900, 700), (64, 64)])
def test_the_maps(size_hw: tuple[int, int], damping: float) -> None:
    """Each cell is covered by the same windows, at every shape of image and map."""
    grid, op = PatchGrid(scales=PAPER_SCALES[:4], size=64, snap=16), GraphWriter()
    windows = grid(size_hw)
    scores = np.random.default_rng(0).random((len(windows), 3), np.float32)
    lines = [lines_of(grid, scale, *size_hw) for scale in grid.scales]
    counts = [len(rows.starts) * len(columns.starts) for rows, columns in lines]
    parts = np.split(scores, np.cumsum(counts)[:-1])
    cells = tuple(map_side(op, np.float64(side), np.float64(max(size_hw)), 500) for side in size_hw)
    maps = mean_maps(op, parts, lines, 64, cells, damping)
    expected = mean_score_map(
        torch.from_numpy(windows.xyxy.copy()),
        torch.from_numpy(scores),
        size_hw,
        map_shape(size_hw),
        damping,
    )
    assert maps.shape == tuple(expected.shape)
    np.testing.assert_allclose(maps, expected, atol=1e-5)
