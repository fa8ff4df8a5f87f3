"""Export the face detector's three networks, with facenet-pytorch's weights, as ONNX files.

    python scripts/export_detector.py

The files go to fer/recognition/weights; a test repeats the export and compares. Three things are expressed differently
than in facenet-pytorch, with the same results:

* PReLU with slope a becomes (1 - a)·relu(x) + a·x, both factors depthwise 1×1 convolutions: ONNX Runtime keeps its
  blocked layout through them and fuses the addition. With its own PRelu, O-Net takes about 1.5 times as long.
* Channels are padded with zeros to whole blocks of that layout.
* The logits of "face" and "no face" become their difference, whose sigmoid is their softmax, in one output with the
  corrections of the box and the landmarks.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from fer.recognition.facenet import networks
from fer.recognition.mtcnn import WEIGHTS

OPSET, IR_VERSION = 17, 8
BLOCK_CHANNELS = 16
"""Block size of ONNX Runtime's layout on processors with AVX-512; on others it is smaller."""
INPUTS: dict[str, list[int | str]] = {
    "pnet": ["n", 3, "height", "width"],
    "rnet": ["n", 3, 24, 24],
    "onet": ["n", 3, 48, 48],
}
OUTPUTS: dict[str, list[int | str]] = {
    "pnet": ["n", 5, "rows", "columns"],
    "rnet": ["n", 5],
    "onet": ["n", 15],
}
DESCRIPTION = {
    "source": "MTCNN (Zhang et al. 2016, arXiv:1604.02878), weights of facenet-pytorch 2.5.3 (MIT license)",
    "input": "image: RGB, float32; of P-Net any part of a picture, of R-Net and O-Net a candidate, resized",
    "normalization": "(value - 127.5) / 128 of values 0..255",
    "output": "faces: logit of a face, corrections of x1, y1, x2, y2 as shares of the candidate's width and height; "
    "of O-Net also x of both eyes, nose and both corners of the mouth, then their y, as such shares",
}
Array = npt.NDArray[np.float32]


class _Graph:
    """Nodes and weights of an ONNX graph under construction, and the name of the last result."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.last = "image"

    def weight(self, values: Array) -> str:
        name = f"weight{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(values, np.float32), name))
        return name

    def add(self, operation: str, *inputs: str, **attributes: Any) -> str:
        """Append a node whose input defaults to the last result; return the name of its output."""
        name = f"{operation.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(operation, inputs or [self.last], [name], **attributes))
        self.last = name
        return name

    def convolution(self, x: str, weight: Array, bias: Array, **attributes: Any) -> str:
        size = list(weight.shape[2:])
        return self.add("Conv", x, self.weight(weight), self.weight(bias), kernel_shape=size, **attributes)

    def scale(self, x: str, factors: Array, axes: int) -> str:
        """Multiply each channel by its factor, in an array with this many axes."""
        if axes == 2:
            return self.add("Mul", x, self.weight(factors))
        count = len(factors)
        return self.convolution(x, factors.reshape(-1, 1, 1, 1), np.zeros(count, np.float32), group=count)


def build(name: str, network: Any) -> onnx.ModelProto:
    """Return a network of facenet-pytorch, "pnet", "rnet" or "onet", as an ONNX model."""
    graph, channels, axes = _Graph(), 3, 4
    layers = {key: layer for key, layer in network.named_children() if not key.startswith("softmax")}
    heads = [layers.pop(key) for key in tuple(layers) if "_" in key]
    for layer in layers.values():
        kind = type(layer).__name__
        weight, bias = (_values(layer, which) for which in ("weight", "bias"))
        if kind == "Conv2d":
            missing = -len(weight) % BLOCK_CHANNELS
            weight = np.pad(weight, [(0, missing), (0, channels - weight.shape[1]), (0, 0), (0, 0)])
            graph.convolution(graph.last, weight, np.pad(bias, (0, missing)))
            channels = len(weight)
        elif kind == "MaxPool2d":
            size, stride = [layer.kernel_size] * 2, [layer.stride] * 2
            graph.add("MaxPool", kernel_shape=size, strides=stride, ceil_mode=1)
        elif kind == "PReLU":
            x, slopes = graph.last, np.pad(weight, (0, channels - len(weight)))
            graph.add("Add", graph.scale(graph.add("Relu", x), 1 - slopes, axes), graph.scale(x, slopes, axes))
        else:  # features are in the order width, height, channel, as in Caffe
            side = round((weight.shape[1] / channels) ** 0.5)
            weight = weight.reshape(-1, side, side, channels).transpose(0, 3, 2, 1).reshape(len(weight), -1)
            graph.add("Gemm", graph.add("Flatten"), graph.weight(weight.T), graph.weight(bias))
            channels, axes = len(weight), 2
    _add_heads(graph, heads, channels, axes)
    return _model(name, graph)


def _values(layer: Any, which: str) -> Array:
    values = getattr(layer, which, None)
    return np.zeros(0, np.float32) if values is None else np.asarray(values.detach().cpu(), np.float32)


def _add_heads(graph: _Graph, heads: list[Any], channels: int, axes: int) -> None:
    """Append all outputs as one; the first head has the logits of "no face" and "face"."""
    weights, biases = ([_values(head, which) for head in heads] for which in ("weight", "bias"))
    for values in (weights, biases):
        values[0] = values[0][1:] - values[0][:1]
    weight, bias = np.concatenate(weights), np.concatenate(biases)
    if axes == 2:
        graph.add("Gemm", graph.last, graph.weight(weight.T), graph.weight(bias))
    else:
        weight = np.pad(weight, [(0, 0), (0, channels - weight.shape[1]), (0, 0), (0, 0)])
        graph.convolution(graph.last, weight, bias)
    graph.nodes[-1].output[0] = "faces"


def _model(name: str, graph: _Graph) -> onnx.ModelProto:
    whole = helper.make_graph(
        graph.nodes,
        name,
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, INPUTS[name])],
        [helper.make_tensor_value_info("faces", TensorProto.FLOAT, OUTPUTS[name])],
        graph.weights,
    )
    model = helper.make_model(whole, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="fer-studio")
    model.ir_version = IR_VERSION
    helper.set_model_props(model, DESCRIPTION)
    onnx.checker.check_model(model, full_check=True)
    return model


def main(arguments: list[str] | None = None) -> int:
    """Write the files; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=WEIGHTS, metavar="FOLDER", help="(%(default)s)")
    folder = parser.parse_args(arguments).out
    folder.mkdir(parents=True, exist_ok=True)
    for name, network in networks().items():
        path = folder / f"{name}.onnx"
        path.write_bytes(build(name, network).SerializeToString(deterministic=True))
        print(f"{path}: {path.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
