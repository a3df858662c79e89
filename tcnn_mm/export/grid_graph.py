"""The grid and the localization maps as nodes of an ONNX graph.

The arithmetic of `patches.geometry`, operation by operation in the same types, so that windows and
the cells that they cover are the same integers. Each function takes the writer first and gives
values of its graph.

Letters: n rows and m columns of windows, K classes, (h, w) cells of a map.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tcnn_mm.export.graph_writer import GraphWriter, Value
from tcnn_mm.patches.grid import PatchGrid

INT64, DOUBLE, FLOAT = 7, 11, 1  # of onnx.TensorProto


class Line(NamedTuple):
    """The windows along one side of a resized image.

    Attributes:
        length (Value): Of the resized image, int64 scalar.
        starts (Value): First pixels of the windows in it, (n,) int64.
        stored (Value): The side of the stored image, double scalar.
    """

    length: Value
    starts: Value
    stored: Value


def grid_line(
    op: GraphWriter, grid: PatchGrid, scale: float, stored: Value, shortest: Value
) -> Line:
    """Rows or columns of windows of one λ; see `geometry.grid_lines`.

    Args:
        grid: Size, step and snapping.
        scale: λ.
        stored: The side of the stored image, double scalar.
        shortest: The shorter side of it, double scalar.
    """
    size, snap = grid.size, grid.snap
    step = max(size * (1.0 - grid.overlap) if grid.stride is None else float(grid.stride), snap)
    factor = op('Div', np.float64(size * scale), shortest)
    room = op('Div', op('Sub', op('Mul', stored, factor), np.float64(size)), np.float64(snap))
    room = op('Max', op('Round', room), np.float64(0))
    length = op('Add', op('Mul', op('Cast', room, to=INT64), np.int64(snap)), np.int64(size))
    gaps = op('Div', op('Mul', room, np.float64(snap)), np.float64(step))
    gaps = op('Ceil', op('Sub', gaps, np.float64(1e-9)))
    spacing = op('Div', room, op('Max', gaps, np.float64(1)))
    count = op('Range', np.float64(0), op('Add', gaps, np.float64(1)), np.float64(1))
    starts = op('Cast', op('Round', op('Mul', count, spacing)), to=INT64)
    return Line(length, op('Mul', starts, np.int64(snap)), stored)


def map_side(op: GraphWriter, stored: Value, longest: Value, long_side: int) -> Value:
    """Cells of a map along one side, int64 scalar; see `peaks.map_shape`."""
    shrink = op('Min', np.float64(1), op('Div', np.float64(long_side), longest))
    cells = op('Max', op('Round', op('Mul', stored, shrink)), np.float64(1))
    return op('Cast', cells, to=INT64)


def coverage(op: GraphWriter, line: Line, size: int, cells: Value) -> Value:
    """Which cells of a map the windows of a line cover, (cells, n) float32 of 0 and 1.

    See `geometry.mean_score_map`: a cell is covered when its centre is in the box, which is
    float32 in pixels of the stored image.

    Args:
        line: Windows.
        size: S.
        cells: Cells of the map along this side, int64 scalar.
    """
    length = op('Cast', line.length, to=DOUBLE)
    start = op('Mul', op('Cast', line.starts, to=DOUBLE), op('Div', line.stored, length))
    stop = op('Add', start, op('Div', op('Mul', np.float64(size), line.stored), length))
    number = op('Cast', cells, to=DOUBLE)
    scale = op('Div', number, line.stored)
    scale = op('Cast', op('Cast', scale, to=FLOAT), to=DOUBLE)
    position = op('Unsqueeze', op('Range', np.int64(0), cells, np.int64(1)), np.array([1]))
    first, last = (_edges(op, edge, scale, number) for edge in (start, stop))
    inside = op('And', op('LessOrEqual', first, position), op('Less', position, last))
    return op('Cast', inside, to=FLOAT)


def _edges(op: GraphWriter, box: Value, scale: Value, cells: Value) -> Value:
    """First cells (n,) int64 whose centres are at or after edges of boxes."""
    rounded = op('Cast', op('Cast', box, to=FLOAT), to=DOUBLE)
    edge = op('Sub', op('Mul', rounded, scale), np.float64(0.5))
    edge = op('Ceil', op('Sub', edge, np.float64(1e-6)))
    return op('Cast', op('Min', op('Max', edge, np.float64(0)), cells), to=INT64)


def mean_maps(
    op: GraphWriter,
    scores: Sequence[Value],
    lines: Sequence[tuple[Line, Line]],
    size: int,
    map_hw: tuple[Value, Value],
    damping: float,
) -> Value:
    """Mean score of the windows that cover each cell: (K, h, w) float32.

    The windows of a scale are all crossings of its rows and columns, so their sum is a product of
    matrices: rows (h, n) · scores (n, m) · columns (m, w).

    Args:
        scores: (n · m, K) float32 of each scale.
        lines: Rows and columns of each scale.
        size: S.
        map_hw: Cells of the map, int64 scalars.
        damping: Windows of score 0 added to each cell.
    """
    total: Value | None = None
    counts: Value | None = None
    for part, (rows, columns) in zip(scores, lines, strict=True):
        y, x = (
            coverage(op, line, size, n) for line, n in zip((rows, columns), map_hw, strict=True)
        )
        number = [op('Shape', line.starts) for line in (rows, columns)]
        shape = op('Concat', *number, np.array([-1]), axis=0)
        grid = op('Transpose', op('Reshape', part, shape), perm=[2, 0, 1])
        across = op('Transpose', x, perm=[1, 0])
        summed = op('MatMul', op('MatMul', y, grid), across)
        covered = op('Mul', _sums(op, y, 1), op('Transpose', _sums(op, x, 1), perm=[1, 0]))
        total = summed if total is None else op('Add', total, summed)
        counts = covered if counts is None else op('Add', counts, covered)
    assert total is not None and counts is not None  # a grid has a scale
    weight = op('Max', op('Add', counts, np.float32(damping)), np.float32(1))
    return op('Div', total, weight)


def _sums(op: GraphWriter, matrix: Value, axis: int) -> Value:
    return op('ReduceSum', matrix, np.array([axis]), keepdims=1)
