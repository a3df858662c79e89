"""Pure functions on patches and boxes: the grid, areas, score maps (paper, sec. 3, 6 and 7).

Letters used everywhere: P patches, N objects, K classes, S patch side in network pixels.
Boxes are xyxy in pixels of the stored image, 0-based, edges (a box over the whole image is
[0, 0, width, height]).
"""

import math
from collections.abc import Iterable
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import ArrayLike

from tcnn_mm.patches.windows import GridWindows

# Damping of the maps that commands and configs draw, chosen on val: without it the maximum is too
# easily at the border.
DAMPING = 20
# Paper, sec. 3: side = min(w, h) / scale. The text says eight scales and prints these nine.
PAPER_SCALES = (1.0, 1.3, 1.6, 2.0, 2.4, 2.8, 3.2, 3.6, 4.0)
# Side of the square around a box, from the sides of the box.
SQUARE_SIDES = ('max', 'min', 'area')


def resized_shape(
    height: int, width: int, scale: float, size: int, snap: int = 1
) -> tuple[int, int]:
    """Return the shape of the resized image in which a patch of this scale is S × S pixels.

    Args:
        height, width: Size of the stored image, pixels.
        scale: λ ≥ 1.
        size: S.
        snap: Both sides are S plus a multiple of this. Defaults to 1, whole pixels.

    Returns:
        (height, width), each at least S.
    """
    factor = size * scale / min(height, width)
    rows, columns = (
        size + snap * max(0, round((side * factor - size) / snap)) for side in (height, width)
    )
    return rows, columns


# Of 20,000 images few have lines of another length than the ones before.
@lru_cache(maxsize=65536)
def grid_offsets(length: int, size: int, step: float, snap: int = 1) -> np.ndarray:
    """Return the starts of windows on a line: evenly spaced, the first and the last at the ends.

    Args:
        length: Length of the line, pixels: `size` plus a multiple of `snap`.
        size: Side of a window, pixels.
        step: The largest distance between two adjacent starts, pixels.
        snap: Starts are multiples of this. Defaults to 1.

    Returns:
        (n,) int64, strictly increasing, read-only.
    """
    room = (length - size) // snap
    count = math.ceil(room * snap / step - 1e-9) + 1
    offsets = np.unique(np.rint(np.linspace(0, room, count)).astype(np.int64)) * snap
    offsets.setflags(write=False)
    return offsets


def grid_lines(
    height: int,
    width: int,
    scale: float,
    overlap: float,
    size: int,
    stride: float | None = None,
    snap: int = 1,
) -> tuple[tuple[int, int], np.ndarray, np.ndarray]:
    """Return the grid of one scale as rows and columns: every row crosses every column.

    Args: as for :func:`grid_windows`.

    Returns:
        Shape (rows, columns) of the resized image, and in its pixels the starts y (n,) and x (m,)
        of the windows, int64.
    """
    step = max(size * (1.0 - overlap) if stride is None else float(stride), snap)
    shape = resized_shape(height, width, scale, size, snap)
    y, x = (grid_offsets(length, size, step, snap) for length in shape)
    return shape, y, x


def most_windows(
    height: int,
    width: int,
    scales: Iterable[float],
    overlap: float,
    size: int,
    stride: float | None = None,
    snap: int = 1,
) -> int:
    """Return a number that :func:`grid_windows` does not exceed, without making the grid.

    Args: as for :func:`grid_windows`.
    """
    step = max(size * (1.0 - overlap) if stride is None else float(stride), snap)
    total = 0
    for scale in scales:
        rows, columns = (
            math.ceil((length - size) / step) + 1
            for length in resized_shape(height, width, scale, size, snap)
        )
        total += rows * columns
    return total


def grid_windows(
    height: int,
    width: int,
    scales: Iterable[float] = PAPER_SCALES,
    overlap: float = 0.65,
    size: int = 224,
    stride: float | None = None,
    snap: int = 1,
) -> GridWindows:
    """Return S × S windows on a regular grid at every scale, and their boxes.

    Adjacent windows overlap by at least `overlap` (rounding to whole pixels may cost one pixel)
    and the outermost ones touch the border. The sides are whole pixels of the resized image, so
    in stored pixels width and height may differ by its rounding.

    A scale has about (λ/(1 - overlap))² · max(w, h)/min(w, h) windows: 25 times as many in a
    panorama of 25:1 as in a square.

    Args:
        height, width: Size of the stored image, pixels.
        scales: λ, each ≥ 1: side = min(w, h) / λ.
        overlap: In [0, 1). The paper asks for "at least 50 %" and "around 500" patches; 0.65
            gives 496 on a 500×375 image, 0.5 only 275. Defaults to 0.65.
        size: S. Defaults to 224.
        stride: The step in network pixels; replaces `overlap`.
        snap: Offsets are multiples of this many network pixels (a feature stride).

    Returns:
        P windows, ordered by scale, then row, then column.
    """
    shapes, offsets = [], []
    for scale in scales:
        shape, y, x = grid_lines(height, width, scale, overlap, size, stride, snap)
        offsets.append(np.stack(np.meshgrid(y, x, indexing='ij'), axis=-1).reshape(-1, 2))
        shapes.append(np.full_like(offsets[-1], shape))
    return GridWindows.of(np.concatenate(shapes), np.concatenate(offsets), size, (height, width))


def grid_boxes(
    height: int,
    width: int,
    scales: Iterable[float] = PAPER_SCALES,
    overlap: float = 0.65,
    size: int = 224,
    stride: float | None = None,
    snap: int = 1,
) -> np.ndarray:
    """Return the boxes of :func:`grid_windows` alone: (P, 4) float32 xyxy in stored pixels."""
    return grid_windows(height, width, scales, overlap, size, stride, snap).xyxy


def square_around(box: ArrayLike, side: str = 'max', margin: float = 0.0) -> np.ndarray:
    """Return the square centred on a box; it may extend beyond the image (paper, sec. 6).

    Args:
        box: (4,) xyxy.
        side: Side of the square: 'max' or 'min' of the sides of the box, or 'area', the root
            of their product.
        margin: The side is (1 + margin) times as long.

    Returns:
        (4,) float64 xyxy.
    """
    x1, y1, x2, y2 = np.asarray(box, np.float64)
    sides = x2 - x1, y2 - y1
    length = dict(max=max(sides), min=min(sides), area=math.sqrt(sides[0] * sides[1]))[side]
    half = (1 + margin) * length / 2
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    return np.array([x - half, y - half, x + half, y + half])


def intersections(patches: ArrayLike, boxes: ArrayLike) -> np.ndarray:
    """Return the area that each patch shares with each box: (P, 4), (N, 4) → (P, N) float64."""
    first = np.asarray(patches, np.float64).reshape(-1, 1, 4)
    second = np.asarray(boxes, np.float64).reshape(1, -1, 4)
    sides = np.minimum(first[..., 2:], second[..., 2:]) - np.maximum(
        first[..., :2], second[..., :2]
    )
    return np.clip(sides, 0, None).prod(axis=-1)


def areas(boxes: ArrayLike) -> np.ndarray:
    """Return the area of each box: (N, 4) xyxy → (N,) float64 square pixels."""
    boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def largest(boxes: ArrayLike) -> np.ndarray:
    """Return which boxes of a grid are of its largest scale, which covers the image; (P,) bool."""
    sizes = areas(boxes)
    # The next scale, 1.3 after 1, has 0.59 of the area; rounding moves a few per cent.
    return sizes > 0.8 * sizes.max(initial=0.0)


def mean_score_map(
    boxes: torch.Tensor,
    scores: torch.Tensor,
    size_hw: tuple[int, int],
    map_hw: tuple[int, int],
    damping: float = 0,
) -> torch.Tensor:
    """Average the scores of all patches that cover a pixel: localization maps (paper, sec. 7).

    A map is constant between the edges of the patches, and a grid has few of them: one difference
    array per class over the edges alone and two running sums, then every cell reads its value. So
    the cost does not grow with the areas of the patches.

    Args:
        boxes: (P, 4) xyxy in pixels of the image.
        scores: (P, K) float.
        size_hw: Height and width of the image, pixels.
        map_hw: Rows and columns of the map; a cell is covered when its centre lies in the patch.
        damping: This many more patches of score 0 cover each pixel. Few patches reach the border,
            where a single high score would else make a high mean. Paper: 0.

    Returns:
        (K, h, w) float32; 0 where no patch lies, up to the rounding of float64 sums.
    """
    height, width = map_hw
    scale = boxes.new_tensor([width / size_hw[1], height / size_hw[0]] * 2)
    # The first centre at or after an edge: the same rule for both ends makes patches tile.
    edges = torch.ceil(boxes.double() * scale.double() - 0.5 - 1e-6).long()
    x = edges[:, 0::2].clamp(0, width)
    y = edges[:, 1::2].clamp(0, height)
    (xs, column), (ys, row) = (torch.unique(edge, return_inverse=True) for edge in (x, y))
    values = torch.cat([scores.double(), scores.new_ones(len(scores), 1).double()], 1).T
    flat = values.new_zeros(len(values), len(ys) * len(xs))
    for first, second, sign in ((0, 0, 1), (0, 1, -1), (1, 0, -1), (1, 1, 1)):
        flat.index_add_(1, row[:, first] * len(xs) + column[:, second], values, alpha=sign)
    sums = flat.view(len(values), len(ys), len(xs)).cumsum(1).cumsum(2)
    means = (sums[:-1] / (sums[-1:].round() + damping).clamp(min=1)).float()
    # No patch lies before the first edge.
    means = torch.nn.functional.pad(means, (1, 0, 1, 0))
    cells = [torch.arange(n, device=edge.device) for n, edge in ((height, ys), (width, xs))]
    rows, columns = (
        torch.searchsorted(edge, cell, right=True)
        for edge, cell in zip((ys, xs), cells, strict=True)
    )
    return means.index_select(1, rows).index_select(2, columns)
