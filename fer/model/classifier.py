"""A loaded model: prepared faces in, probabilities out; in ONNX Runtime where it has been exported, else in torch."""

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
"""What may be asked to compute; auto: ONNX Runtime on the CPU where the model has been exported, else torch."""


class Network(Protocol):
    """What maps faces to logits: `OnnxNetwork`, `TorchNetwork`, or a test's fake."""

    @property
    def runtime(self) -> str:
        """What computes, and how precisely, for people: "ONNX Runtime, float32"."""

    def logits(self, pixels: np.ndarray) -> np.ndarray:
        """Return float32 (n, outputs) for faces uint8 (n, C, S, S), all at once."""

    def reduced(self) -> "Network":
        """Return the same network, computed faster and less precisely, or itself."""

    def in_torch(self) -> "TorchNetwork":
        """Return the same network in torch, for what needs its gradients."""

    def on_one_thread(self) -> "AbstractContextManager[Network]":
        """Return what lets the network compute on one thread meanwhile."""


class Classifier:
    """A network with its labels and its preprocessing. Safe to share between threads: it changes nothing."""

    def __init__(self, info: ModelInfo, network: Network) -> None:
        """Take a network; see `load`, and `fer.model.torch_network.torch_classifier` for one that is in memory."""
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
        """Read a model file, or its exported form, which does not import torch.

        Args:
            path: the model file.
            device: where to compute; elsewhere than on the CPU torch does it.
            runtime: one of `RUNTIMES`.
            threads: on how many to compute. Not given, one in ONNX Runtime; torch, which has one number for the whole
                process, keeps what it has.

        Raises:
            CheckpointError: the file is missing, damaged or not one of ours, or has not been exported and has to be.
            FerError: ONNX Runtime is asked for elsewhere than on the CPU.
            PackageMissingError: torch is needed, and missing.
        """
        path, info = Path(path), read_info(path)
        if runtime == ONNX and device != "cpu":
            raise FerError(f"expected the device cpu, where ONNX Runtime computes, got {device}. Take torch for it.")
        if device == "cpu" and runtime != TORCH and (network := OnnxNetwork.load(path, threads or 1)):
            return cls(info, network)
        if runtime == ONNX:
            raise CheckpointError(
                f"expected an exported form of these weights beside {path}, found none. Make it: "
                f"fer-studio export {path}"
            )
        try:
            from fer.model.torch_network import TorchNetwork
        except ModuleNotFoundError as error:
            raise PackageMissingError.from_import(error) from error
        return cls(info, TorchNetwork.load(path, device, threads))

    def reduced(self) -> "Classifier":
        """Return a faster classifier for video: in 8 bits or in bfloat16 where there is one, else itself.

        In ONNX Runtime 8 bits if the model has been exported so, in torch bfloat16 if the processor has it. Photos and
        evaluations stay with float32, which gives the same figures on every machine.
        """
        return Classifier(self.info, self.network.reduced())

    def for_faces(self, kind: str) -> "Classifier":
        """Return a classifier with the same network that is read for a kind of faces, see `ModelInfo.reading`.

        Raises:
            CheckpointError: the model has not learned what that takes.
        """
        return Classifier(self.info.read_for(kind), self.network)

    def logits(self, pixels: np.ndarray, batch_size: int = 256) -> np.ndarray:
        """Return what the network says of `Preprocessing.shrink`ed faces uint8 (n, C, S, S), before it is read.

        Returns:
            float32 (n, outputs), see `ModelInfo.outputs`.
        """
        starts = range(0, len(pixels), batch_size)
        batches = [self.network.logits(pixels[start : start + batch_size]) for start in starts]
        return np.concatenate(batches) if batches else np.empty((0, self.info.outputs), np.float32)

    def probabilities(self, pixels: np.ndarray, batch_size: int = 256) -> np.ndarray:
        """Return float64 (n, K), 0..1, for `Preprocessing.shrink`ed faces uint8 (n, C, S, S).

        Rows sum to 1, but for a multilabel model, where each expression has a probability of its own.
        """
        return probabilities_of(self.info, self.logits(pixels, batch_size))

    def with_opinions(self, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the probabilities, and of a model with two heads what each of them says, float64 (n, 2, K)."""
        logits = self.logits(pixels)
        opinions = np.stack([probabilities_of(head, logits) for head in self._heads], axis=1) if self._heads else None
        return probabilities_of(self.info, logits), opinions

    def distributions(self, pixels: np.ndarray, batch_size: int = 256) -> np.ndarray:
        """Return the probabilities as shares of their sum, so that rows sum to 1 whatever the model."""
        return shares_of(self.probabilities(pixels, batch_size))


def probabilities_of(info: ModelInfo, logits: np.ndarray) -> np.ndarray:
    """Read a network's outputs as the model says.

    Args:
        info: the model; see `Reading`.
        logits: float (n, outputs), as the network gives them.

    Returns:
        float64 (n, K), 0..1.
    """
    count, logits = len(info.labels), logits.astype(np.float64)
    if info.multilabel:
        return 0.5 + 0.5 * np.tanh(logits / (2 * info.temperature))
    found = _opinion(logits[:, :count], info.prior, info.prior_correction)
    if info.second and info.second_share:
        known = [info.labels.index(label) for label in info.second.labels]
        other = found.copy()  # what the second head has no word for keeps its share
        other[:, known] = _opinion(logits[:, count:], info.second.prior, info.prior_correction)
        other[:, known] *= found[:, known].sum(axis=1, keepdims=True)
        found = (1 - info.second_share) * found + info.second_share * other
    return shares_of((found / found.max(axis=1, keepdims=True)) ** (1 / info.temperature))


def _opinion(logits: np.ndarray, prior: tuple[float, ...], prior_correction: float) -> np.ndarray:
    """Return what one head says, float (n, k), with a part of its prior taken off."""
    corrected = logits - prior_correction * np.log(prior or 1.0)
    return shares_of(np.exp(corrected - corrected.max(axis=1, keepdims=True)))


def shares_of(probabilities: np.ndarray) -> np.ndarray:
    """Return float (n, K) ≥ 0 with each row divided by its sum."""
    return probabilities / np.maximum(probabilities.sum(axis=1, keepdims=True), 1e-300)
