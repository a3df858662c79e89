"""Dense mode with fewer maps: patches of several λ are read from the map of one.

The map of a scale λ has (λ / λ')² times the cells of that of λ', and costs as much more. So a patch
may be read from the map of a smaller λ, where it covers fewer cells: its boxes stay those of the
grid, and its feature is the mean of the cells that it covers, those at its border by their share.

Letters: P windows, n rows and m columns of windows, (h, w) cells of a map, C channels, S patch side
in network pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from tcnn_mm.errors import InvalidValueError
from tcnn_mm.patches.geometry import resized_shape
from tcnn_mm.patches.windows import GridWindows, group_shapes


@dataclass(frozen=True, eq=False)
class SharedWindows:
    """Windows of one image as parts of resized images, of which each has one map.

    Attributes:
        shapes (ndarray): (P, 2) int64, rows and columns of the resized image of each window.
        offsets (ndarray): (P, 2) float64 (y, x), its first pixel there.
        sides (ndarray): (P, 2) float64, its rows and columns there, pixels.
        size (int): S, the largest side.
    """

    shapes: np.ndarray
    offsets: np.ndarray
    sides: np.ndarray
    size: int


def check_scales(scales: Sequence[float] | None) -> tuple[float, ...] | None:
    """λ of the maps in rising order; None for a map of every λ of the grid.

    Raises:
        InvalidValueError: None given, or one below 1.
    """
    if scales is None:
        return None
    found = tuple(sorted(float(scale) for scale in scales))
    if not found or not found[0] >= 1:
        raise InvalidValueError(f'dense_scales={scales}; give one or more λ ≥ 1, or None')
    return found


def scale_of_map(scale: float, scales: Sequence[float], size: int, stride: int) -> float:
    """λ of the map that patches of a scale are read from: the largest that is not above it.

    Args:
        scale: λ of the patches.
        scales: λ of the maps, in rising order.
        size: S.
        stride: Of the map, pixels; λ are equal where their maps are, of whole cells.

    Raises:
        InvalidValueError: All maps are of a larger λ.
    """

    def side(scale: float) -> int:
        return resized_shape(size, size, scale, size, stride)[0]

    fits = [each for each in scales if side(each) <= side(scale)]
    if not fits:
        raise InvalidValueError(
            f'dense_scales={tuple(scales)} has no map for patches of λ = {scale:.3g}: a patch '
            "is read from a map of its own λ or a smaller one; add the grid's smallest λ"
        )
    return fits[-1]


def share_maps(
    windows: GridWindows, size_hw: tuple[int, int], scales: Sequence[float], stride: int
) -> SharedWindows:
    """Place each window on the map of the largest λ that is not above its own.

    Args:
        windows: Of an image of `size_hw` (height, width) pixels.
        scales: λ of the maps, in rising order.
        stride: Of the map, pixels.

    Raises:
        InvalidValueError: A window of a λ below all of `scales`.
    """
    chosen = np.empty_like(windows.shapes)
    shapes, group = group_shapes(windows.shapes)
    for g, shape in enumerate(shapes):
        scale = scale_of_map(shape.min() / windows.size, scales, windows.size, stride)
        chosen[group == g] = resized_shape(*size_hw, scale, windows.size, stride)
    zoom = chosen / windows.shapes
    return SharedWindows(chosen, windows.offsets * zoom, windows.size * zoom, windows.size)


def cell_weights(
    first: torch.Tensor, count: torch.Tensor, cells: int, parts: int = 1
) -> torch.Tensor:
    """Share of each cell of a line in equal parts of intervals: rows that sum to one.

    Args:
        first: (n,) float64, where the intervals begin, in cells.
        count: () float64, their length in cells.
        cells: Number of cells of the line.
        parts: Parts of each interval.

    Returns:
        (n, parts, cells) float32.
    """
    step = count / parts
    part = torch.arange(parts, dtype=torch.float64, device=first.device)
    low = (first[:, None] + part * step)[..., None]
    index = torch.arange(cells, dtype=torch.float64, device=first.device)
    share = torch.minimum(index + 1, low + step) - torch.maximum(index, low)
    share = share.clamp(min=0)
    return (share / share.sum(-1, keepdim=True)).float()


def read_grid(maps: torch.Tensor, rows: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
    """Means of the cells of a map under the crossings of rows and columns.

    Args:
        maps: (C, h, w) float32.
        rows: (n, p, h) weights of :func:`cell_weights`.
        columns: (m, p, w) weights.

    Returns:
        (n, m, C, p, p) float32.
    """
    means = torch.einsum('nph,chw->npcw', rows, maps)
    return torch.einsum('mqw,npcw->nmcpq', columns, means)


def read_parts(
    maps: torch.Tensor, first: np.ndarray, count: np.ndarray, parts: int = 1
) -> torch.Tensor:
    """Means of the cells under parts × parts equal parts of windows of one map.

    Args:
        maps: (C, h, w).
        first: (P, 2) float64 (y, x), where the windows begin, in cells.
        count: (P, 2) float64, their rows and columns in cells.
        parts: Parts per side; 1 for the mean of the window.

    Returns:
        (P, C, parts, parts) float32.
    """
    maps = maps.float()
    out = maps.new_empty(len(first), len(maps), parts, parts)
    # Windows of one λ are a grid, with far fewer rows and columns than windows; those of another λ
    # are elsewhere.
    for sides in np.unique(count, axis=0):
        mine = np.flatnonzero((count == sides).all(1))
        weights, places = [], []
        for axis in (0, 1):
            starts, place = np.unique(first[mine, axis], return_inverse=True)
            begin, side = torch.from_numpy(starts), torch.tensor(sides[axis])
            weights.append(cell_weights(begin, side, maps.shape[1 + axis], parts))
            places.append(torch.from_numpy(place).to(maps.device))
        grid = read_grid(maps, *(each.to(maps.device) for each in weights))
        out[torch.from_numpy(mine).to(maps.device)] = grid[places[0], places[1]]
    return out
