"""Write an ONNX graph node by node; what follows from constants alone is computed at once."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:  # optional packages
    from onnx import GraphProto, ModelProto, NodeProto

# A value of the graph by its name, or a constant.
Value = str | np.ndarray | np.generic

# The oldest opset with an antialiased Resize.
OPSET = 18


class GraphWriter:
    """Collects the nodes and constants of a graph.

    A node whose inputs are constants is computed with onnx's reference implementation: of an
    image of a fixed size no arithmetic of sizes is left in the graph.

    Attributes:
        nodes (list[NodeProto]): In an order in which they can run.
        initializers (dict[str, TensorProto]): Constants and weights by name.
    """

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.initializers: dict[str, Any] = {}
        self._constants: dict[tuple[str, tuple[int, ...], bytes], str] = {}
        self._networks: dict[str, GraphProto] = {}
        self._count = 0

    def __call__(self, kind: str, *inputs: Value, **attributes: Any) -> Value:
        """Add a node of one output.

        Args:
            kind: Name of the operator of ONNX.
            inputs: Values; '' for one that is left out.
            attributes: Of the operator.

        Returns:
            The output: a constant where all inputs are.
        """
        from onnx import helper

        if not any(isinstance(value, str) and value for value in inputs):
            return _compute(kind, inputs, attributes)
        self._count += 1
        out = f'{kind}_{self._count}'
        names = [self.name(value) for value in inputs]
        self.nodes.append(helper.make_node(kind, names, [out], name=out, **attributes))
        return out

    def name(self, value: Value) -> str:
        """The name of a value; a constant becomes an initializer."""
        from onnx import numpy_helper

        if isinstance(value, str):
            return value
        array = np.asarray(value)
        key = (str(array.dtype), array.shape, array.tobytes())
        if key not in self._constants:
            name = f'constant_{len(self._constants)}'
            self._constants[key] = name
            self.initializers[name] = numpy_helper.from_array(array, name)
        return self._constants[key]

    def include(self, label: str, network: 'ModelProto', inputs: Sequence[Value]) -> list[str]:
        """Add the nodes of a network; its weights are shared by all calls of one label.

        Args:
            label: Of the network.
            network: Without functions of its own.
            inputs: Its inputs, in order.

        Returns:
            Names of its outputs.
        """
        from onnx import compose

        if label not in self._networks:
            own = compose.add_prefix_graph(network.graph, f'{label}/')
            self.initializers.update({each.name: each for each in own.initializer})
            del own.value_info[:]  # shapes, with names of sizes that each copy has of its own
            self._networks[label] = own
        self._count += 1
        copy = compose.add_prefix_graph(
            self._networks[label], f'call_{self._count}/', rename_initializers=False
        )
        for entry, value in zip(copy.input, inputs, strict=True):
            # An Identity per input: the nodes of the copy keep their names.
            self.nodes.append(_identity(self.name(value), entry.name))
        self.nodes.extend(copy.node)
        return [entry.name for entry in copy.output]

    def rename(self, value: Value, name: str) -> None:
        """Give a value a name of its own: that of an output of the graph."""
        self.nodes.append(_identity(self.name(value), name))

    def model(
        self, inputs: Sequence[Any], outputs: Sequence[Any], metadata: dict[str, str]
    ) -> 'ModelProto':
        """The graph as a model, checked by onnx.

        Args:
            inputs: ValueInfoProto each.
            outputs: ValueInfoProto each; values of these names are in the graph.
            metadata: Texts by name.
        """
        import onnx
        from onnx import helper

        graph = helper.make_graph(
            self.nodes, 'tcnn_mm', inputs, outputs, list(self.initializers.values())
        )
        made = helper.make_model(
            graph, opset_imports=[helper.make_opsetid('', OPSET)], producer_name='tcnn_mm'
        )
        made.ir_version = min(made.ir_version, 10)  # what runtimes of 2024 read
        helper.set_model_props(made, metadata)
        onnx.checker.check_model(made)
        return made


def _identity(source: str, target: str) -> 'NodeProto':
    from onnx import helper

    return helper.make_node('Identity', [source], [target], name=target)


def _compute(kind: str, inputs: Sequence[Value], attributes: dict[str, Any]) -> np.ndarray:
    """The output of an operator on constants."""
    from onnx import helper
    from onnx.reference import ReferenceEvaluator

    names = ['' if isinstance(value, str) else f'x{i}' for i, value in enumerate(inputs)]
    node = helper.make_node(kind, names, ['out'], **attributes)
    known = {n: np.asarray(v) for n, v in zip(names, inputs, strict=True) if n}
    found: Any = ReferenceEvaluator(node, opsets={'': OPSET}).run(None, known)
    return np.asarray(found[0])
