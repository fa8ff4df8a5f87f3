"""Convert a torch network to the nodes of an ONNX graph that takes unnormalized faces.

torch lists the operations of a network, each of which is written as one or more ONNX operations: all that torchvision's
convolutional networks and dlib's need. Of the transformers, only ConvNeXt is supported.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import fx, nn

from fer.errors import CheckpointError
from fer.model.checkpoint import ModelInfo
from fer.model.onnx_network import INPUT, OUTPUT

Value = Any
"""An argument of an operation: a tensor's name, a number, a list of numbers, None."""


class Graph:
    """The nodes of a network, and its weights.

    A method such as `_conv2d` writes the torch operation of that name; its arguments are those of torch's schema, with
    the input as x.
    """

    def __init__(self, info: ModelInfo, module: nn.Module) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.weights: dict[str, np.ndarray] = {}
        preprocessing = info.preprocessing
        faces = torch.zeros(2, preprocessing.channels, preprocessing.size_px, preprocessing.size_px)
        with torch.no_grad():
            program = torch.export.export(module, (faces,), dynamic_shapes=({0: torch.export.Dim("n")},))
        signature, state = program.graph_signature, module.state_dict()
        names = signature.inputs_to_parameters | signature.inputs_to_buffers
        found: dict[fx.Node, Value] = {}
        for node in program.graph.nodes:
            if node.op == "placeholder" and node.name in names:
                found[node] = names[node.name]
                self.weights[names[node.name]] = state[names[node.name]].numpy()
            elif node.op == "placeholder":
                found[node] = self._normalized(preprocessing.mean, preprocessing.std)
            elif node.op == "call_function":
                found[node] = self._written(node, found, info.architecture)
            else:
                self._node("Identity", *(found[one] for one in node.all_input_nodes), outputs=[OUTPUT])
        used = {name for node in self.nodes for name in node.input}
        self.weights = {name: value for name, value in self.weights.items() if name in used}

    def _normalized(self, mean: float, std: float) -> str:
        values = self._node("Cast", INPUT, to=TensorProto.FLOAT, name="normalize/cast")
        values = self._node("Mul", values, self._constant(np.float32(1 / (255 * std))), name="normalize/scale")
        return self._node("Add", values, self._constant(np.float32(-mean / std)), name="normalize/shift")

    def _written(self, node: fx.Node, found: dict[fx.Node, Value], architecture: str) -> Value:
        """Write an operation; return the name of its output."""
        schema = getattr(node.target, "_schema", None)
        name = schema.name.removeprefix("aten::").rstrip("_") if schema else str(node.target)
        write: Callable[..., Value] | None = getattr(self, f"_{name}", None)
        if write is None or schema is None:
            raise CheckpointError(
                f"expected a network that can be exported to ONNX, but {architecture} has the operation {name}. The "
                "model still works with torch; ResNets and most other convolutional networks can be exported."
            )
        given = dict(zip((one.name for one in schema.arguments), node.args, strict=False)) | node.kwargs
        values = {one.name: given.get(one.name, one.default_value) for one in schema.arguments}
        self.shapes = [tuple(one.meta["val"].shape) for one in node.all_input_nodes]
        (_, x), *others = ((key, fx.node.map_arg(value, found.__getitem__)) for key, value in values.items())
        return write(x, **dict(others))

    def _node(self, operation: str, *inputs: str, outputs: list[str] | None = None, **attributes: Any) -> str:
        """Append a node; return the name of its output."""
        attributes.setdefault("name", f"{operation.lower()}{len(self.nodes)}")
        outputs = outputs or [attributes["name"]]
        self.nodes.append(helper.make_node(operation, inputs, outputs, **attributes))
        return outputs[0]

    def _constant(self, value: Any) -> str:
        """Add a constant; return its name."""
        name = f"constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def _conv2d(
        self, x: str, weight: str, bias: str | None, stride: Value, padding: Value, dilation: Value, groups: int
    ) -> str:
        return self._node(
            "Conv",
            x,
            weight,
            *filter(None, [bias]),
            strides=_two(stride),
            pads=_two(padding) * 2,
            dilations=_two(dilation),
            group=groups,
        )

    def _batch_norm(
        self, x: str, weight: str, bias: str, running_mean: str, running_var: str, eps: float, **_: Value
    ) -> str:
        return self._node("BatchNormalization", x, weight, bias, running_mean, running_var, epsilon=eps)

    def _linear(self, x: str, weight: str, bias: str | None) -> str:
        if len(self.shapes[0]) == 2:
            return self._node("Gemm", x, weight, *filter(None, [bias]), transB=1)
        product = self._node("MatMul", x, self._node("Transpose", weight, perm=[1, 0]))
        return product if bias is None else self._node("Add", product, bias)

    def _relu(self, x: str) -> str:
        return self._node("Relu", x)

    def _hardtanh(self, x: str, min_val: float, max_val: float) -> str:
        return self._node("Clip", x, self._constant(np.float32(min_val)), self._constant(np.float32(max_val)))

    def _relu6(self, x: str) -> str:
        return self._hardtanh(x, 0.0, 6.0)

    def _sigmoid(self, x: str) -> str:
        return self._node("Sigmoid", x)

    def _silu(self, x: str) -> str:
        return self._node("Mul", x, self._sigmoid(x))

    def _hardsigmoid(self, x: str) -> str:
        return self._node("HardSigmoid", x, alpha=1 / 6, beta=0.5)

    def _hardswish(self, x: str) -> str:
        return self._node("HardSwish", x)

    def _gelu(self, x: str, approximate: str) -> str:
        whole = self._node("Erf", self._node("Mul", x, self._constant(np.float32(math.sqrt(0.5)))))
        half = self._node("Mul", x, self._constant(np.float32(0.5)))
        return self._node("Mul", half, self._node("Add", whole, self._constant(np.float32(1))))

    def _dropout(self, x: str, **_: Value) -> str:
        return x

    def _contiguous(self, x: str, **_: Value) -> str:
        return x

    def _add(self, x: str, other: Value, alpha: float) -> str:
        return self._node("Add", x, other if isinstance(other, str) else self._constant(np.float32(other)))

    def _mul(self, x: str, other: Value) -> str:
        return self._node("Mul", x, other if isinstance(other, str) else self._constant(np.float32(other)))

    def _max_pool2d(
        self, x: str, kernel_size: Value, stride: Value, padding: Value, dilation: Value, ceil_mode: bool
    ) -> str:
        window: dict[str, Any] = {"kernel_shape": _two(kernel_size), "strides": _two(stride or kernel_size)}
        pads = _two(padding) * 2
        return self._node("MaxPool", x, pads=pads, dilations=_two(dilation), ceil_mode=int(ceil_mode), **window)

    def _avg_pool2d(
        self, x: str, kernel_size: Value, stride: Value, padding: Value, ceil_mode: bool, **_: Value
    ) -> str:
        window: dict[str, Any] = {"kernel_shape": _two(kernel_size), "strides": _two(stride or kernel_size)}
        return self._node("AveragePool", x, pads=_two(padding) * 2, ceil_mode=int(ceil_mode), **window)

    def _adaptive_avg_pool2d(self, x: str, output_size: Value) -> str:
        if list(output_size) == [1, 1]:
            return self._node("GlobalAveragePool", x)
        rows, columns = (_means(*lengths) for lengths in zip(self.shapes[0][2:], output_size, strict=True))
        return self._node("MatMul", self._constant(rows), self._node("MatMul", x, self._constant(columns.T.copy())))

    def _mean(self, x: str, dim: Sequence[int], keepdim: bool, **_: Value) -> str:
        return self._node("ReduceMean", x, axes=list(dim), keepdims=int(keepdim))

    def _flatten(self, x: str, start_dim: int, end_dim: int) -> str:
        return self._node("Flatten", x, axis=start_dim)

    def _cat(self, tensors: list[str], dim: int) -> str:
        return self._node("Concat", *tensors, axis=dim)

    def _pad(self, x: str, pad: Sequence[int], mode: str, value: float | None) -> str:
        after, before = list(pad[::-2]), list(pad[-2::-2])  # torch starts with the last dimension
        untouched = [0] * (len(self.shapes[0]) - len(before))
        pads = np.array(untouched + before + untouched + after, np.int64)
        return self._node("Pad", x, self._constant(pads), self._constant(np.float32(value or 0)))

    def _permute(self, x: str, dims: Sequence[int]) -> str:
        return self._node("Transpose", x, perm=list(dims))

    def _layer_norm(self, x: str, normalized_shape: Value, weight: str, bias: str, eps: float, **_: Value) -> str:
        return self._node("LayerNormalization", x, weight, bias, axis=-len(normalized_shape), epsilon=eps)


def _two(value: Value) -> list[int]:
    """Return a size as one value per dimension."""
    values = [value] if isinstance(value, int) else list(value)
    return values * (2 // len(values))


def _means(length: int, count: int) -> np.ndarray:
    """Return float32 (count, length): the averaging weights of `count` bins over a length, divided as in torch."""
    shares = np.zeros((count, length), np.float32)
    for number, row in enumerate(shares):
        row[number * length // count : -(-(number + 1) * length // count)] = 1
    return shares / shares.sum(axis=1, keepdims=True)
