"""Graphs are written node by node; what follows from constants is no node, weights are shared."""

import numpy as np
import pytest

onnx = pytest.importorskip('onnx')

from tcnn_mm.export.graph_writer import GraphWriter  # noqa: E402


def run(writer: GraphWriter, value: str, **inputs: np.ndarray) -> np.ndarray:
    """Run a graph with the reference implementation of onnx."""
    from onnx.reference import ReferenceEvaluator

    kind = onnx.helper.np_dtype_to_tensor_dtype
    made = writer.model(
        [onnx.helper.make_tensor_value_info(n, kind(x.dtype), x.shape) for n, x in inputs.items()],
        [onnx.helper.make_tensor_value_info(value, 1, [2])],
        {'about': 'a test'},
    )
    assert made.metadata_props[0].value == 'a test'
    return ReferenceEvaluator(made).run(None, inputs)[0]


def test_constants_are_computed_at_once() -> None:
    """No node for them; one initializer for equal constants."""
    op = GraphWriter()
    total = op('Add', np.float32(2), op('Mul', np.float32(3), np.float32(4)))
    assert total == 14 and isinstance(total, np.ndarray) and op.nodes == []
    op('Add', 'image', total)
    op('Sub', 'image', np.float32(14))
    assert len(op.nodes) == 2 and len(op.initializers) == 1


def test_a_network_is_included_several_times_with_its_weights_once() -> None:
    """Each copy has nodes of its own; the file grows by nodes alone."""
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    weight = numpy_helper.from_array(np.array([2.0, 3.0], np.float32), 'weight')
    graph = helper.make_graph(
        [helper.make_node('Mul', ['x', 'weight'], ['y'], name='node')],
        'network',
        [helper.make_tensor_value_info('x', 1, [2])],
        [helper.make_tensor_value_info('y', 1, [2])],
        [weight],
    )
    network = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 18)])
    op = GraphWriter()
    first = op.include('double', network, ['image'])
    (second,) = op.include('double', network, first)
    op.rename(second, 'scores')
    assert list(op.initializers) == ['double/weight']
    image = np.array([1.0, 10.0], np.float32)
    np.testing.assert_array_equal(run(op, 'scores', image=image), image * [4, 9])
