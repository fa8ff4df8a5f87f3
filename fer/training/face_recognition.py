"""Initialize a network with the weights of dlib's face recognition, see `fer.model.face_recognition`.

The weights have 8 bits, with a scale and an offset per array. Two formats are read: the files
face_recognition_model-weights_manifest.json and .bin of the npm package @vladmandic/face-api, and an .npz with the same
arrays as NAME, with their (scale, offset) as NAME#.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import nn

from fer.errors import TrainingError
from fer.files import read_arrays, read_bytes
from fer.model.face_recognition import BLOCKS, NAME, Block, FaceRecognitionResNet
from fer.model.preprocessing import Preprocessing
from fer.records import plain_of

PREFIX = "face-recognition"
"""--init face-recognition:FILE"""
MEAN = (122.782, 117.001, 104.298)
"""Subtracted by dlib from red, green and blue, 0..255."""
DIVISOR = 256.0
FACES = 1024
"""Training faces used to estimate batch normalization statistics, which the weights lack."""
_AT_ONCE = 64
_MOST_BYTES = 2**27
"""Limit of a weights file; the network has 6 million weights."""


def file_of(init: str) -> str:
    """Return FILE of "face-recognition:FILE"; empty for anything else."""
    return init.removeprefix(f"{PREFIX}:") if init.startswith(f"{PREFIX}:") else ""


def check(init: str, architecture: str) -> None:
    """Check the file and the network of an initialization with these weights.

    Raises:
        TrainingError: the file is missing, or the network is another one; the message says where to get the file.
    """
    file = file_of(init)
    if not file or not Path(file).is_file():
        raise TrainingError(
            f"expected the weights of dlib's face recognition, as --init {PREFIX}:FILE, found "
            f"{f'nothing at {file}' if file else 'no file'}. Get them from the npm package @vladmandic/face-api (model/"
            "face_recognition_model-weights_manifest.json beside its .bin); they are in the public domain "
            "(davisking/dlib-models).",
            "init",
        )
    if architecture != NAME:
        raise TrainingError(
            f"expected --architecture {NAME} for --init {PREFIX}, got {architecture}. Choose it, at 96 pixels or more.",
            "architecture",
        )


@torch.no_grad()
def adopt(network: FaceRecognitionResNet, file: str, preprocessing: Preprocessing) -> None:
    """Load all layers but the last. dlib's affine layers become batch norms that are the identity until `settle`.

    Raises:
        TrainingError: the file cannot be read, or has other weights.
    """
    try:
        arrays = _read(Path(file))
        if strange := [name for name, array in arrays.items() if not np.isfinite(array).all()]:
            raise ValueError(f"{strange[0]} has values that are not finite")
        weights = {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()}
        for name, convolution, norm in _layers(network):
            kernel = weights[f"{name}/conv/filters"].permute(3, 2, 0, 1)
            bias = weights[f"{name}/conv/bias"]
            if convolution is network.conv:
                kernel, offset = for_our_pictures(kernel, preprocessing)
                bias = bias + offset
            scale = weights[f"{name}/scale/weights"]
            convolution.weight.copy_(kernel)
            norm.weight.copy_(scale)
            norm.bias.copy_(scale * bias + weights[f"{name}/scale/biases"])
            norm.running_mean.zero_()  # type: ignore[union-attr]
            norm.running_var.fill_(1 - norm.eps)  # type: ignore[union-attr]
    except (OSError, ValueError, LookupError, TypeError, AttributeError, OverflowError, RuntimeError) as error:
        raise TrainingError(
            f"expected the weights of dlib's face recognition in {file}, but they cannot be read: {error!r}. Use "
            "the file of the npm package @vladmandic/face-api."
        ) from error


def for_our_pictures(kernel: torch.Tensor, preprocessing: Preprocessing) -> tuple[torch.Tensor, torch.Tensor]:
    """Return a first convolution that gives dlib's outputs for our normalized pictures.

    Args:
        kernel: float (outputs, 3, k, k), for RGB minus `MEAN`, divided by `DIVISOR`.
        preprocessing: how our pictures are normalized.

    Returns:
        The kernel, (outputs, channels, k, k), and the offset to add to its output, (outputs,).
    """
    offset = kernel.sum(dim=(2, 3)) @ (255 * preprocessing.mean - torch.tensor(MEAN)) / DIVISOR
    kernel = kernel * (255 * preprocessing.std / DIVISOR)
    return (kernel.sum(dim=1, keepdim=True) if preprocessing.channels == 1 else kernel), offset


@torch.no_grad()
def settle(network: nn.Module, faces: torch.Tensor) -> None:
    """Set the statistics of the batch norms left by `adopt` from faces, without changing the network's outputs.

    The faces, float32 (n, C, S, S), normalized, are training pictures.
    """
    layers = list(_layers(network))
    moments = [torch.zeros(2, norm.num_features, dtype=torch.float64, device=faces.device) for *_, norm in layers]

    def look(number: int, output: torch.Tensor) -> None:
        seen = output.double()
        moments[number] += len(seen) / len(faces) * torch.stack((seen.mean((0, 2, 3)), seen.square().mean((0, 2, 3))))

    hooks = [
        convolution.register_forward_hook(lambda _, __, output, number=number: look(number, output))
        for number, (_, convolution, _) in enumerate(layers)
    ]
    network.eval()
    for part in faces.split(_AT_ONCE):
        network(part)
    for hook in hooks:
        hook.remove()
    for (_, _, norm), (mean, square) in zip(layers, moments, strict=True):
        variance = square - mean.square()
        norm.bias.add_(norm.weight * mean)
        norm.weight.mul_((variance + norm.eps).sqrt())
        norm.running_mean.copy_(mean)  # type: ignore[union-attr]
        norm.running_var.copy_(variance)  # type: ignore[union-attr]


def _layers(network: nn.Module) -> Iterator[tuple[str, nn.Conv2d, nn.BatchNorm2d]]:
    """Yield (name of the weights, convolution, its batch norm)."""
    assert isinstance(network, FaceRecognitionResNet)
    yield "conv32_down", network.conv, network.bn
    for (name, _), block in zip(BLOCKS, cast("list[Block]", network.blocks), strict=True):
        yield f"{name}/conv1", block.conv1, block.bn1
        yield f"{name}/conv2", block.conv2, block.bn2


def _read(file: Path) -> dict[str, np.ndarray]:
    """Return the arrays by name, float32."""
    if file.suffix == ".json":
        return dict(_read_manifest(file))
    arrays = read_arrays(file)
    return {
        name: _unpacked(array, *arrays.get(f"{name}#", (1.0, 0.0)))
        for name, array in arrays.items()
        if not name.endswith("#")
    }


def _read_manifest(file: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Yield (name, array) from TensorFlow.js's format: groups of arrays, concatenated in the files of a group."""
    for group in plain_of(read_bytes(file)):
        data = b"".join(read_bytes(file.with_name(Path(path).name), _MOST_BYTES) for path in group["paths"])
        for entry in group["weights"]:
            packed = entry.get("quantization", {"dtype": entry["dtype"], "scale": 1.0, "min": 0.0})
            kind, count = np.dtype(packed["dtype"]).newbyteorder("<"), int(np.prod(entry["shape"]))
            array = np.frombuffer(data, kind, count).reshape(entry["shape"])
            data = data[array.nbytes :]
            yield entry["name"], _unpacked(array, packed["scale"], packed["min"])


def _unpacked(array: np.ndarray, scale: float, offset: float) -> np.ndarray:
    return (array * scale + offset).astype(np.float32)
