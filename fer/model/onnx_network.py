"""A network in ONNX Runtime, which starts in a tenth of torch's time and computes faster on a CPU.

Beside a model file lie its exported forms, which `fer.model.export` writes:

    best.safetensors    the model file
    best.onnx           float32: the network's structure, a few kilobytes; its weights are those of the model file
    best.int8.onnx      8 bits, with its own weights: for video

Both name the weights that they belong to in their metadata, and answer for no others.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime

from fer.model.checkpoint import read_info, weights_file

if TYPE_CHECKING:
    from fer.model.torch_network import TorchNetwork

INPUT, OUTPUT = "faces", "logits"
"""Of the graph: uint8 (n, C, S, S) and float32 (n, outputs)."""
WEIGHTS_BESIDE = "the model file beside it"
"""Said to be the place of the weights in a form that has none."""
AT_ONCE = 16
"""More faces at once are no faster, and take memory that ONNX Runtime keeps."""


def form_path(weights: Path, int8: bool = False) -> Path:
    """Return where the exported form of a model file lies, or will."""
    return weights.with_suffix(".int8.onnx" if int8 else ".onnx")


def has_form(path: Path, int8: bool = False) -> bool:
    """Whether a model file has been exported, and is the same since, but for how it is read.

    Raises:
        CheckpointError: the model file cannot be read.
    """
    weights = weights_file(path)
    form = form_path(weights, int8)
    return form.is_file() and weights_sha256(weights).encode() in form.read_bytes()


def weights_sha256(weights: Path) -> str:
    """Return the SHA-256 of a model file's tensors, in hex: of all that follows the header of a safetensors file."""
    with weights.open("rb") as file:
        file.seek(int.from_bytes(file.read(8), "little"), 1)
        return hashlib.sha256(file.read()).hexdigest()


class OnnxNetwork:
    """An exported form, see `fer.model.classifier.Network`."""

    def __init__(self, path: Path, threads: int = 1, int8: bool = False, form: bytes | None = None) -> None:
        """Load a form of a model file that `has_form`, or another one, to compute on so many threads."""
        self._path, self._threads, self._int8 = path, threads, int8
        self._outputs = read_info(path).outputs
        self._in_torch: TorchNetwork | None = None
        weights = weights_file(path)
        form = form or form_path(weights, int8).read_bytes()
        options = session_options(threads)
        self._weights = _take_weights(options, weights) if WEIGHTS_BESIDE.encode() in form else []
        self._session = onnxruntime.InferenceSession(form, options, providers=["CPUExecutionProvider"])

    @property
    def runtime(self) -> str:
        """What computes: "ONNX Runtime, float32"."""
        return f"ONNX Runtime, {'int8' if self._int8 else 'float32'}"

    def logits(self, pixels: np.ndarray) -> np.ndarray:
        """Return float32 (n, outputs) for faces uint8 (n, C, S, S)."""
        starts = range(0, len(pixels), AT_ONCE)
        found = [self._session.run([OUTPUT], {INPUT: pixels[start : start + AT_ONCE]})[0] for start in starts]
        # A model that stands for the second head of another one has its last outputs.
        return np.concatenate(found)[:, -self._outputs :]

    def reduced(self) -> "OnnxNetwork":
        """Return the form in 8 bits where there is one, else this one."""
        return OnnxNetwork(self._path, self._threads, int8=True) if has_form(self._path, int8=True) else self

    def in_torch(self) -> "TorchNetwork":
        """Return the model file's network in torch, float32; it is loaded once."""
        from fer.model.torch_network import TorchNetwork

        self._in_torch = self._in_torch or TorchNetwork.load(self._path)
        return self._in_torch

    @contextmanager
    def on_one_thread(self) -> "Iterator[OnnxNetwork]":
        """Give a network of its own."""
        yield OnnxNetwork(self._path, 1, self._int8)


def session_options(threads: int) -> onnxruntime.SessionOptions:
    """Return how networks are computed: on so many threads, for batches of any size."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_mem_pattern = False  # would be kept for each size of a batch that ever came
    options.log_severity_level = 3
    return options


def _take_weights(options: onnxruntime.SessionOptions, weights: Path) -> list[onnxruntime.OrtValue]:
    """Give a session the tensors of a model file, by their names, in float32; they must live as long as the session."""
    from safetensors import safe_open

    with safe_open(weights, framework="numpy") as file:
        names = [name for name in file.keys() if not name.endswith("num_batches_tracked")]  # noqa: SIM118
        tensors = {name: file.get_tensor(name).astype(np.float32) for name in names}
    values = [onnxruntime.OrtValue.ortvalue_from_numpy(value) for value in tensors.values()]
    options.add_external_initializers(list(tensors), values)
    return values
