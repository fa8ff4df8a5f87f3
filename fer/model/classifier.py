"""A loaded model: preprocessed faces in, probabilities out; in ONNX Runtime if it was exported, otherwise in torch."""

import os
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from fer.errors import CheckpointError, FerError, PackageMissingError
from fer.model import DEFAULT_CHECKPOINT
from fer.model.checkpoint import ModelInfo, read_info
from fer.model.onnx_network import OnnxNetwork
from fer.model.prior import LABEL, RATERS

if TYPE_CHECKING:
    from fer.model.torch_network import TorchNetwork

AUTO, ONNX, TORCH = "auto", "onnx", "torch"
RUNTIMES = (AUTO, ONNX, TORCH)
"""Choices of the runtime; auto: ONNX Runtime on the CPU if the model was exported, otherwise torch."""


class Network(Protocol):
    """Maps faces to logits: `OnnxNetwork`, `TorchNetwork`, or a fake in tests."""

    @property
    def runtime(self) -> str:
        """Runtime and precision, for display: "ONNX Runtime, float32"."""

    def logits(self, pixels: np.ndarray) -> np.ndarray:
        """Return logits float32 (n, outputs) for faces uint8 (n, C, S, S), computed as one batch."""

    def reduced(self) -> "Network":
        """Return the same network with faster, less precise arithmetic, or itself."""

    def in_torch(self) -> "TorchNetwork":
        """Return the same network in torch, for gradients."""

    def on_one_thread(self) -> "AbstractContextManager[Network]":
        """Return a context in which the network computes on one thread."""


class Classifier:
    """A network with its labels and preprocessing. Stateless, so safe to share between threads."""

    def __init__(self, info: ModelInfo, network: Network) -> None:
        """Wrap a network; see `load`, and `fer.model.torch_network.torch_classifier` for a module in memory."""
        self.info = info
        self.network = network
        self._heads = (info.read_for(RATERS), info.read_for(LABEL)) if info.second else None

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str] = DEFAULT_CHECKPOINT,
        device: str = "cpu",
        runtime: str = AUTO,
        threads: int | None = None,
    ) -> "Classifier":
        """Load a model file, or its export, which does not import torch.

        Args:
            path: the model file.
            device: where to compute; on devices other than the CPU, torch is used.
            runtime: one of `RUNTIMES`.
            threads: number of threads. By default, ONNX Runtime uses one, and torch, which has one setting for the
                whole process, keeps that.

        Raises:
            CheckpointError: the file is missing, damaged or not made by this package, or lacks a required export.
            FerError: ONNX Runtime is requested on a device other than the CPU.
            PackageMissingError: torch is needed but missing.
        """
        path, info = Path(path), read_info(path)
        if runtime == ONNX and device != "cpu":
            raise FerError(f"expected the device cpu for ONNX Runtime, got {device}. Use torch instead.")
        if device == "cpu" and runtime != TORCH and (network := OnnxNetwork.load(path, threads or 1)):
            return cls(info, network)
        if runtime == ONNX:
            raise CheckpointError(
                f"expected an export of these weights beside {path}, found none. Create it: fer-studio export {path}"
            )
        try:
            from fer.model.torch_network import TorchNetwork
        except ModuleNotFoundError as error:
            raise PackageMissingError.from_import(error) from error
        return cls(info, TorchNetwork.load(path, device, threads))

    def reduced(self) -> "Classifier":
        """Return a faster classifier for video, in 8 bits or bfloat16 if available, otherwise itself.

        ONNX Runtime uses the 8-bit export of the model if there is one, torch uses bfloat16 if the processor has it.
        Photos and evaluations always use float32, which gives the same figures on every machine.
        """
        return Classifier(self.info, self.network.reduced())

    def for_faces(self, kind: str) -> "Classifier":
        """Return a classifier with the same network, read for a kind of faces; see `ModelInfo.reading`.

        Raises:
            CheckpointError: the model lacks the head or the prior for it.
        """
        return Classifier(self.info.read_for(kind), self.network)

    def logits(self, pixels: np.ndarray, batch_size: int = 256) -> np.ndarray:
        """Return the network's raw outputs for faces uint8 (n, C, S, S) from `Preprocessing.shrink`.

        Returns:
            float32 (n, outputs), see `ModelInfo.outputs`.
        """
        starts = range(0, len(pixels), batch_size)
        batches = [self.network.logits(pixels[start : start + batch_size]) for start in starts]
        return np.concatenate(batches) if batches else np.empty((0, self.info.outputs), np.float32)

    def probabilities(self, pixels: np.ndarray, batch_size: int = 256) -> np.ndarray:
        """Return float64 (n, K), 0..1, for faces uint8 (n, C, S, S) from `Preprocessing.shrink`.

        Rows sum to 1, except for a multilabel model, whose labels have independent probabilities.
        """
        return probabilities_of(self.info, self.logits(pixels, batch_size))

    def with_opinions(self, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the probabilities and, for a model with two heads, those of each head, float64 (n, 2, K)."""
        logits = self.logits(pixels)
        opinions = np.stack([probabilities_of(head, logits) for head in self._heads], axis=1) if self._heads else None
        return probabilities_of(self.info, logits), opinions

    def distributions(self, pixels: np.ndarray, batch_size: int = 256) -> np.ndarray:
        """Return the probabilities divided by their sum, so that rows sum to 1 for any model."""
        return shares_of(self.probabilities(pixels, batch_size))


def probabilities_of(info: ModelInfo, logits: np.ndarray) -> np.ndarray:
    """Turn a network's outputs into probabilities, as the model specifies.

    Args:
        info: the model; see `Reading`.
        logits: float (n, outputs), from the network.

    Returns:
        float64 (n, K), 0..1.
    """
    count, logits = len(info.labels), logits.astype(np.float64)
    if info.multilabel:
        return 0.5 + 0.5 * np.tanh(logits / (2 * info.temperature))
    found = _opinion(logits[:, :count], info.prior, info.prior_correction)
    if info.second and info.second_share:
        known = [info.labels.index(label) for label in info.second.labels]
        other = found.copy()  # labels unknown to the second head keep their share
        other[:, known] = _opinion(logits[:, count:], info.second.prior, info.prior_correction)
        other[:, known] *= found[:, known].sum(axis=1, keepdims=True)
        found = (1 - info.second_share) * found + info.second_share * other
    return shares_of((found / found.max(axis=1, keepdims=True)) ** (1 / info.temperature))


def _opinion(logits: np.ndarray, prior: tuple[float, ...], prior_correction: float) -> np.ndarray:
    """Return one head's probabilities, float (n, k), with its prior partly corrected."""
    corrected = logits - prior_correction * np.log(prior or 1.0)
    return shares_of(np.exp(corrected - corrected.max(axis=1, keepdims=True)))


def shares_of(probabilities: np.ndarray) -> np.ndarray:
    """Return float (n, K) ≥ 0 with each row divided by its sum."""
    return probabilities / np.maximum(probabilities.sum(axis=1, keepdims=True), 1e-300)
