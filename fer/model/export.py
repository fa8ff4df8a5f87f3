"""Export models as ONNX: beside a model file, for `fer.model.onnx_network`, or as a single file for other programs."""

import json
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from fer.errors import CheckpointError
from fer.files import write_atomically
from fer.model.checkpoint import ModelInfo, load_checkpoint, read_info, weights_file
from fer.model.classifier import Classifier
from fer.model.graph import Graph
from fer.model.onnx_network import (
    INPUT,
    OUTPUT,
    WEIGHTS_BESIDE,
    OnnxNetwork,
    export_path,
    session_options,
    weights_sha256,
)
from fer.model.torch_network import TorchNetwork
from fer.records import to_plain

OPSET, IR_VERSION = 17, 8
CALIBRATION_FACES = 512
"""Enough pictures to calibrate the value range of each layer."""
MOST_DIFFERENT, MOST_DIFFERENT_IN_8_BITS = 1e-5, 0.01
"""Largest mean difference allowed between the export's probabilities and torch's."""
_CALIBRATED_AT_ONCE = 32

Calibration = np.ndarray
"""Training pictures to calibrate with, uint8 (n, C, S, S)."""


def write_exports(path: Path, calibration: Calibration | None = None) -> list[Path]:
    """Export a model file beside it: in float32 and, given calibration pictures, in 8 bits.

    Returns:
        The files written.

    Raises:
        CheckpointError: the model file cannot be read, its architecture cannot be exported, or 8 bits are too few for
            it; in that case the float32 export is written.
        OSError: the folder is not writable.
    """
    weights = weights_file(path)
    written = [export_path(weights)]
    write_atomically(written[0], _bytes(weights, None, embedded=False))
    if calibration is not None:
        written.append(export_path(weights, int8=True))
        write_atomically(written[1], _bytes(weights, calibration))
    return written


def write_whole(path: Path, output: Path, calibration: Calibration | None = None) -> None:
    """Export a model file as a single ONNX file with all the metadata that other programs need.

    Args:
        path: the model file.
        output: the ONNX file.
        calibration: if given, the export is in 8 bits.

    Raises:
        CheckpointError: as `write_exports`.
        OSError: the file cannot be written.
    """
    write_atomically(output, _bytes(path, calibration))


def _bytes(path: Path, calibration: Calibration | None, embedded: bool = True) -> bytes:
    """Return an ONNX file after comparing it with torch; in 8 bits, given calibration pictures."""
    model = _model(path, embedded)
    preprocessing = read_info(path).preprocessing
    shape = (3, preprocessing.channels, preprocessing.size_px, preprocessing.size_px)
    faces, most = np.random.default_rng(0).integers(0, 256, shape, np.uint8), MOST_DIFFERENT
    if calibration is not None:
        model, faces, most = _in_8_bits(model, calibration), calibration, MOST_DIFFERENT_IN_8_BITS
    data = model.SerializeToString(deterministic=True)
    network = OnnxNetwork(path, bytes(data))
    found, expected = (
        Classifier(read_info(path), one).distributions(faces) for one in (network, TorchNetwork.load(path))
    )
    if not (difference := np.abs(found - expected).mean()) <= most:  # written like this, NaN fails, too
        bits, otherwise = ("8 bits", "float32") if calibration is not None else ("float32", "torch")
        raise CheckpointError(
            f"expected the same probabilities for {path} from ONNX Runtime with {bits} as from torch, found a mean "
            f"difference of {difference:.2g}; up to {most:g} is accepted. The model still works with {otherwise}."
        )
    return bytes(data)


def _in_8_bits(model: onnx.ModelProto, calibration: Calibration) -> onnx.ModelProto:
    """Quantize weights and activations to 8 bits, with one scale per channel of a weight.

    Weights use 7 bits: processors without VNNI add pairs of products in 16 bits, which would overflow.
    """
    from onnxruntime.quantization import QuantType, quantize_static
    from onnxruntime.quantization.quant_utils import add_pre_process_metadata

    faces = iter(range(0, len(calibration), _CALIBRATED_AT_ONCE))

    class Reader:
        def get_next(self) -> dict[str, np.ndarray] | None:
            start = next(faces, None)
            return None if start is None else {INPUT: calibration[start : start + _CALIBRATED_AT_ONCE]}

    with tempfile.TemporaryDirectory() as folder:
        merged, output = (Path(folder) / name for name in ("merged.onnx", "int8.onnx"))
        options = session_options(1)
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(merged)  # merges batch normalization into convolutions
        onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        prepared = onnx.load(merged)
        add_pre_process_metadata(prepared)  # otherwise it recommends the preprocessing just done
        quantize_static(
            prepared,
            output,
            Reader(),
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=[node.name for node in prepared.graph.node if node.name.startswith("normalize")],
        )
        found = onnx.load(output)
    del found.metadata_props[:]
    found.metadata_props.extend(model.metadata_props)
    return found


def _model(path: Path, embedded: bool) -> onnx.ModelProto:
    """Return a model file as an ONNX model, with or without its weights."""
    info, module = load_checkpoint(path)
    graph = Graph(info, module)
    size = info.preprocessing.size_px
    weights = [
        numpy_helper.from_array(value.astype(np.float32), name) if embedded else _elsewhere(name, value)
        for name, value in graph.weights.items()
    ]
    whole = helper.make_graph(
        graph.nodes,
        info.architecture,
        [helper.make_tensor_value_info(INPUT, TensorProto.UINT8, ["n", info.preprocessing.channels, size, size])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["n", info.outputs])],
        [*weights, *graph.constants],
    )
    model = helper.make_model(whole, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="fer-studio")
    model.ir_version = IR_VERSION
    helper.set_model_props(model, _description(path, info))
    return model


def _elsewhere(name: str, value: np.ndarray) -> onnx.TensorProto:
    """Return a tensor whose values are stored outside the file."""
    tensor = onnx.TensorProto(name=name, data_type=TensorProto.FLOAT, dims=value.shape)
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=WEIGHTS_BESIDE)
    return tensor


def _description(path: Path, info: ModelInfo) -> dict[str, str]:
    """Return the metadata of an ONNX file."""
    preprocessing = info.preprocessing
    colors = "gray (ITU-R 601 luma)" if preprocessing.channels == 1 else "RGB"
    labels = f"logits of {', '.join(info.labels)}"
    if info.second:
        labels += f"; then those of a second head, {info.second.source}: {', '.join(info.second.labels)}"
    return {
        "source": f"{path.name}, {info.architecture}, trained on {info.training.get('dataset', 'unknown data')}",
        "license": "MIT",
        "input": f"{INPUT}: {colors}, uint8, 0..255, one face each: a square of {preprocessing.crop_ratio:g} × the "
        f"height of MTCNN's box around its center{', turned until the eyes are level' * preprocessing.upright}, shrunk "
        f"to {preprocessing.size_px} pixels with antialiasing",
        "normalization": f"in the graph: (value / 255 - {preprocessing.mean:g}) / {preprocessing.std:g}",
        "output": f"{OUTPUT}: {labels}",
        "labels": json.dumps(info.labels),
        "second_labels": json.dumps(info.second.labels if info.second else ()),
        "model": json.dumps(to_plain(info)),
        "weights_sha256": weights_sha256(weights_file(path)),
    }
