"""One ONNX file from image to scores and localization maps.

The grid is laid inside the graph, for any image size or for one.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from tcnn_mm.compat import free_sizes
from tcnn_mm.export.graph_writer import OPSET, GraphWriter, Value
from tcnn_mm.export.grid_graph import (
    DOUBLE,
    FLOAT,
    Line,
    grid_line,
    map_side,
    mean_maps,
)
from tcnn_mm.export.whole_image_networks import (
    FeatureNetwork,
    MapNetwork,
    ReadNetwork,
    VotingNetwork,
)
from tcnn_mm.models.encoder.shared_maps import scale_of_map
from tcnn_mm.models.patch_model import PatchModel
from tcnn_mm.patches.grid import PatchGrid

if TYPE_CHECKING:  # an optional package
    from onnx import ModelProto

# Shares of the largest area from which on windows count as the whole image: `geometry.largest`.
LARGEST = 0.8
ImageSize = tuple[int, int]


@torch.no_grad()
def whole_image_graph(
    model: PatchModel,
    size_hw: ImageSize | None,
    damping: float,
    long_side: int,
    metadata: dict[str, str],
) -> 'ModelProto':
    """Make the graph of a model.

    Args:
        model: In eval mode on the CPU, in float32, with a :class:`PatchGrid`.
        size_hw: Height and width of the images, pixels; None for any.
        damping: Of the maps.
        long_side: Of the maps, cells.
        metadata: Texts by name.

    Returns:
        ModelProto: `image` (H, W, 3) uint8 RGB → `scores` (K,) float32, `maps` (K, h, w) float32.
    """
    from onnx import TensorProto, helper

    op = GraphWriter()
    grid: PatchGrid = model.sampler.grid
    height, width = _sides(op, size_hw)
    shortest, longest = op('Min', height, width), op('Max', height, width)
    pixels = _normalised(op, model.preprocessing)
    lines = [
        (grid_line(op, grid, scale, height, shortest), grid_line(op, grid, scale, width, shortest))
        for scale in grid.scales
    ]
    if model.encoder.dense_scales:
        features = _read_features(op, model, pixels, lines, (height, width))
    else:
        features = _own_features(op, model, pixels, lines)
    shares = [_largest(op, lines, grid.size)] if model.context is not None else []
    voting = _voting_network(model, grid)
    score, *votes = op.include('votes', voting, [*shares, *features])
    map_hw = (map_side(op, height, longest, long_side), map_side(op, width, longest, long_side))
    maps = mean_maps(op, votes, lines, grid.size, map_hw, damping)
    for name, value in (('scores', score), ('maps', maps)):
        op.rename(value, name)
    number = model.head.num_classes
    cells = [None, None] if size_hw is None else [int(side) for side in map_hw]
    return op.model(
        [helper.make_tensor_value_info('image', TensorProto.UINT8, [*_named(size_hw), 3])],
        [
            helper.make_tensor_value_info('scores', TensorProto.FLOAT, [number]),
            helper.make_tensor_value_info('maps', TensorProto.FLOAT, [number, *cells]),
        ],
        metadata,
    )


def _named(size_hw: ImageSize | None) -> list[int | str]:
    return ['height', 'width'] if size_hw is None else list(size_hw)


def _sides(op: GraphWriter, size_hw: ImageSize | None) -> tuple[Value, Value]:
    """Height and width of the image, double scalars."""
    if size_hw is not None:
        return np.float64(size_hw[0]), np.float64(size_hw[1])
    shape = op('Shape', 'image')
    height, width = (op('Cast', op('Gather', shape, np.int64(i)), to=DOUBLE) for i in (0, 1))
    return height, width


def _normalised(op: GraphWriter, preprocessing: dict[str, Any]) -> Value:
    """The input as the backbone takes it: (1, 3, H, W) float32."""
    pixels = op('Cast', op('Transpose', 'image', perm=[2, 0, 1]), to=FLOAT)
    if preprocessing['channel_order'] == 'bgr':
        pixels = op('Gather', pixels, np.array([2, 1, 0]), axis=0)
    mean, std = (
        np.array(preprocessing[name], np.float32).reshape(3, 1, 1) for name in ('mean', 'std')
    )
    return op('Unsqueeze', op('Div', op('Sub', pixels, mean), std), np.array([0]))


def _resized(op: GraphWriter, pixels: Value, rows: Line, columns: Line) -> Value:
    """The image at one scale; see `crop.resize`.

    Without `exclude_outside` the filter would count pixels beyond the border, as torch's does not.
    """
    sides = [op('Reshape', line.length, np.array([1])) for line in (rows, columns)]
    shape = op('Concat', np.array([1, 3]), *sides, axis=0)
    return op(
        'Resize',
        pixels,
        '',
        '',
        shape,
        mode='linear',
        antialias=1,
        exclude_outside=1,
        coordinate_transformation_mode='half_pixel',
    )


def _largest(op: GraphWriter, lines: Sequence[tuple[Line, Line]], size: int) -> Value:
    """1 for each scale whose windows are of the largest area, else 0: (scales,) float32."""
    areas = []
    for pair in lines:
        sides = [
            op('Div', op('Mul', np.float64(size), line.stored), op('Cast', line.length, to=DOUBLE))
            for line in pair
        ]
        areas.append(op('Reshape', op('Mul', *sides), np.array([1])))
    area = op('Concat', *areas, axis=0)
    most = op('ReduceMax', area, np.array([0]), keepdims=1)
    return op('Cast', op('Greater', area, op('Mul', most, np.float64(LARGEST))), to=FLOAT)


def _own_features(
    op: GraphWriter,
    model: PatchModel,
    pixels: Value,
    lines: Sequence[tuple[Line, Line]],
) -> list[str]:
    """Features of the windows of each scale, from its own resized image."""
    network, features = _feature_network(model), []
    for rows, columns in lines:
        resized = _resized(op, pixels, rows, columns)
        features += op.include('features', network, [resized, rows.starts, columns.starts])
    return features


def _read_features(
    op: GraphWriter,
    model: PatchModel,
    pixels: Value,
    lines: Sequence[tuple[Line, Line]],
    size_hw: tuple[Value, Value],
) -> list[str]:
    """Features of the windows of each scale, from the map of its own or a smaller one.

    Args:
        size_hw: Height and width of the stored image, double scalars.
    """
    encoder, grid = model.encoder, model.sampler.grid
    size, stride = encoder.size, encoder.map_stride
    shortest = op('Min', *size_hw)
    map_network, read_network = _shared_networks(model)
    maps: dict[float, tuple[str, Line, Line]] = {}
    features = []
    for scale, pair in zip(grid.scales, lines, strict=True):
        found = scale_of_map(scale, encoder.dense_scales or (), size, stride)
        if found not in maps:
            rows, columns = (grid_line(op, grid, found, side, shortest) for side in size_hw)
            (cells,) = op.include('map', map_network, [_resized(op, pixels, rows, columns)])
            maps[found] = cells, rows, columns
        cells, *own = maps[found]
        inputs: list[Value] = [cells]
        for line, shared in zip(pair, own, strict=True):
            lengths = (op('Cast', each.length, to=DOUBLE) for each in (shared, line))
            zoom = op('Div', *lengths)
            first = op('Mul', op('Cast', line.starts, to=DOUBLE), zoom)
            beyond = op('Sub', np.float64(size), op('Mul', np.float64(size), zoom))
            count = op(
                'Sub', np.float64(encoder.map_side or 0), op('Div', beyond, np.float64(stride))
            )
            inputs += [op('Div', first, np.float64(stride)), count]
        features += op.include('read', read_network, inputs)
    return features


def _shared_networks(model: PatchModel) -> tuple['ModelProto', 'ModelProto']:
    """The :class:`MapNetwork` and the :class:`ReadNetwork` as ONNX."""
    encoder = model.encoder
    size, step, side = encoder.size, encoder.map_stride, encoder.map_side or 0
    free = torch.export.Dim.DYNAMIC
    network, image = MapNetwork(model), torch.zeros(1, 3, size + 2 * step, size + 3 * step)
    cells, count = network(image), torch.tensor(float(side), dtype=torch.float64)
    rows, columns = (torch.arange(n, dtype=torch.float64) for n in (3, 4))
    return (
        _as_onnx(network, (image,), ({2: free, 3: free},)),
        _as_onnx(
            ReadNetwork(model),
            (cells, rows, count, columns, count.clone()),
            ({2: free, 3: free}, {0: free}, None, {0: free}, None),
        ),
    )


def _feature_network(model: PatchModel) -> 'ModelProto':
    """The :class:`FeatureNetwork` as ONNX."""
    size, step = model.encoder.size, model.encoder.map_stride
    starts = torch.arange(3) * step
    image = torch.zeros(1, 3, size + 2 * step, size + 3 * step)
    free = torch.export.Dim.DYNAMIC
    return _as_onnx(
        FeatureNetwork(model),
        (image, starts, torch.arange(4) * step),
        ({2: free, 3: free}, {0: free}, {0: free}),
    )


def _voting_network(model: PatchModel, grid: PatchGrid) -> 'ModelProto':
    """The :class:`VotingNetwork` as ONNX."""
    encoder = model.encoder
    example = FeatureNetwork(model)(
        torch.zeros(1, 3, encoder.size, encoder.size), torch.zeros(1).long(), torch.zeros(1).long()
    )
    parts = [example.expand(3 + i, *example.shape[1:]) for i in range(len(grid.scales))]
    free = torch.export.Dim.DYNAMIC
    shares = [torch.ones(len(parts))] if model.context is not None else []
    shapes = tuple(None for _ in shares) + tuple({0: free} for _ in parts)
    return _as_onnx(VotingNetwork(model), (*shares, *parts), (shapes,))


def _as_onnx(network: torch.nn.Module, example: tuple[Any, ...], shapes: Any) -> 'ModelProto':
    """Trace a network and write it in our opset, without functions of its own."""
    import onnx.inliner
    import onnx.version_converter

    with free_sizes(), torch.no_grad():
        program = torch.export.export(network.eval(), example, dynamic_shapes=shapes)
    made = torch.onnx.export(program, example, dynamo=True, verbose=False, opset_version=OPSET)
    assert made is not None  # with dynamo=True and no path
    return onnx.inliner.inline_local_functions(made.model_proto)
