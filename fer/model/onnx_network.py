"""A network in ONNX Runtime, which loads in a tenth of torch's time and is faster on a CPU.

The exports of a model file, written by `fer.model.export`, are beside it:

    best.safetensors    the model file
    best.onnx           float32: the network's structure, a few kilobytes; its weights are in the model file
    best.int8.onnx      8 bits, with its own weights: for video

Both store the hash of the weights that they belong to, and are ignored for any others.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime

from fer.errors import CheckpointError
from fer.model.checkpoint import ModelInfo, read_info, weights_file

if TYPE_CHECKING:
    from fer.model.torch_network import TorchNetwork

INPUT, OUTPUT = "faces", "logits"
"""Names in the graph: uint8 (n, C, S, S) and float32 (n, outputs)."""
WEIGHTS_BESIDE = "the model file beside it"
"""Declared as the location of the weights in an export without them."""
AT_ONCE = 16
"""Batch size; larger ones are no faster, and take memory that ONNX Runtime does not free."""


def export_path(weights: Path, int8: bool = False) -> Path:
    """Return the path of a model file's export."""
    return weights.with_suffix(".int8.onnx" if int8 else ".onnx")


def weights_sha256(weights: Path) -> str:
    """Return the SHA-256 of a model file's tensors, in hex: everything after the safetensors header."""
    with weights.open("rb") as file:
        file.seek(int.from_bytes(file.read(8), "little"), 1)
        return hashlib.sha256(file.read()).hexdigest()


class OnnxNetwork:
    """An exported network, see `fer.model.classifier.Network`."""

    def __init__(self, path: Path, export: bytes, threads: int = 1, int8: bool = False, weights_are: str = "") -> None:
        """Load an export of a model file.

        Args:
            path: the model file.
            export: the content of the export.
            threads: number of threads.
            int8: whether the export is in 8 bits.
            weights_are: the hash of the model file's weights, see `weights_sha256`.

        Raises:
            CheckpointError: one of the files is damaged, or they do not fit each other.
        """
        self._path, self._threads, self._int8, self._weights_are = path, threads, int8, weights_are
        info, weights = read_info(path), weights_file(path)
        self._outputs = info.outputs
        self._in_torch: TorchNetwork | None = None
        options = session_options(threads)
        self._weights = _take_weights(options, weights) if WEIGHTS_BESIDE.encode() in export else []
        try:
            self._session = onnxruntime.InferenceSession(export, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's errors have no other common base
            raise CheckpointError(
                f"expected an export of {path}, found one that ONNX Runtime cannot read: {str(error)[:400]}. "
                f"Export it again: fer-studio export {path}"
            ) from error
        _check_fits(self._session, info, path)

    @classmethod
    def load(cls, path: Path, threads: int = 1, int8: bool = False, weights_are: str = "") -> "OnnxNetwork | None":
        """Return a model file's export; None if there is none, or it belongs to other weights.

        See `__init__`; the hash is computed if it is not given.

        Raises:
            CheckpointError: as there, or the model file cannot be read.
        """
        weights = weights_file(path)
        file = export_path(weights, int8)
        if not file.is_file():
            return None
        export, weights_are = file.read_bytes(), weights_are or weights_sha256(weights)
        return cls(path, export, threads, int8, weights_are) if weights_are.encode() in export else None

    @property
    def runtime(self) -> str:
        """Runtime and precision: "ONNX Runtime, float32"."""
        return f"ONNX Runtime, {'int8' if self._int8 else 'float32'}"

    def logits(self, pixels: np.ndarray) -> np.ndarray:
        """Return float32 (n, outputs) for faces uint8 (n, C, S, S)."""
        starts = range(0, len(pixels), AT_ONCE)
        found = [self._session.run([OUTPUT], {INPUT: pixels[start : start + AT_ONCE]})[0] for start in starts]
        # A model that stands for the second head of another one uses the last outputs.
        return np.concatenate(found)[:, -self._outputs :]

    def reduced(self) -> "OnnxNetwork":
        """Return the 8-bit export if there is one, else this one."""
        return OnnxNetwork.load(self._path, self._threads, True, self._weights_are) or self

    def in_torch(self) -> "TorchNetwork":
        """Return the model file's network in torch, float32; loaded once."""
        from fer.model.torch_network import TorchNetwork

        self._in_torch = self._in_torch or TorchNetwork.load(self._path)
        return self._in_torch

    @contextmanager
    def on_one_thread(self) -> "Iterator[OnnxNetwork]":
        """Yield a separate network with one thread."""
        yield OnnxNetwork.load(self._path, 1, self._int8, self._weights_are) or self


def session_options(threads: int) -> onnxruntime.SessionOptions:
    """Return session options with this number of threads, for batches and pictures of any size."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_mem_pattern = False  # its memory would be kept for every size ever seen
    options.log_severity_level = 3
    return options


def _check_fits(session: onnxruntime.InferenceSession, info: ModelInfo, path: Path) -> None:
    """Raise CheckpointError if an export's inputs and outputs do not match the model file."""
    size_px = info.preprocessing.size_px
    faces, whole = [info.preprocessing.channels, size_px, size_px], weights_file(path)
    # A model that stands for a second head uses a part of the outputs.
    counts = {info.outputs, info.outputs if whole == path else read_info(whole).outputs}
    found = [node.shape[1:] for node in (*session.get_inputs(), *session.get_outputs())]
    if found not in [[faces, [count]] for count in counts]:
        raise CheckpointError(
            f"expected an export of {path} from faces {faces} to {info.outputs} outputs, found {found}. "
            f"Export it again: fer-studio export {path}"
        )


def _take_weights(options: onnxruntime.SessionOptions, weights: Path) -> list[onnxruntime.OrtValue]:
    """Give a session the tensors of a model file by name, in float32; they must live as long as the session."""
    from safetensors import safe_open

    with safe_open(weights, framework="numpy") as file:
        names = [name for name in file.keys() if not name.endswith("num_batches_tracked")]  # noqa: SIM118
        tensors = {name: file.get_tensor(name).astype(np.float32) for name in names}
    if strange := [name for name, value in tensors.items() if not np.isfinite(value).all()]:
        raise CheckpointError(f"expected finite weights in {weights}, found other values in {strange[0]}.")
    values = [onnxruntime.OrtValue.ortvalue_from_numpy(value) for value in tensors.values()]
    options.add_external_initializers(list(tensors), values)
    return values
