"""A loaded model: prepared faces in, probabilities out."""

import copy
import os

import numpy as np
import torch
from scipy.special import expit, softmax
from torch import nn

from fer.model import DEFAULT_CHECKPOINT
from fer.model.checkpoint import ModelInfo, load_checkpoint
from fer.model.prior import LABEL, RATERS


class Classifier:
    """A network with its labels and its preprocessing. Safe to share between threads: it changes nothing."""

    def __init__(self, info: ModelInfo, network: nn.Module, device: str = "cpu") -> None:
        """Take a network in evaluation mode, as `load_checkpoint` returns it, and move it to `device`."""
        self.info = info
        self.network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.device = device
        self._dtype = next((parameter.dtype for parameter in network.parameters()), torch.float32)
        self._heads = (info.read_for(RATERS), info.read_for(LABEL)) if info.second else None

    @classmethod
    def load(cls, path: str | os.PathLike[str] = DEFAULT_CHECKPOINT, device: str = "cpu") -> "Classifier":
        """Read a model file.

        Raises:
            CheckpointError: the file is missing, damaged or not one of ours.
        """
        return cls(*load_checkpoint(path), device=device)

    def reduced(self) -> "Classifier":
        """Return a copy that computes in bfloat16 where the processor has it (AVX512-BF16, AMX), else this one.

        For video: one and a half times to twice as fast, probabilities within about 0.01. Photos and evaluations stay
        with float32, which gives the same figures on every machine.
        """
        if self.device != "cpu" or not torch.cpu._is_avx512_bf16_supported():
            return self
        return Classifier(self.info, copy.deepcopy(self.network).bfloat16())

    def for_faces(self, kind: str) -> "Classifier":
        """Return a classifier with the same network that is read for a kind of faces, see `ModelInfo.reading`.

        Raises:
            CheckpointError: the model has not learned what that takes.
        """
        return Classifier(self.info.read_for(kind), self.network, self.device)

    def logits(self, pixels: np.ndarray, batch_size: int = 256) -> np.ndarray:
        """Return what the network says of `Preprocessing.shrink`ed faces uint8 (n, C, S, S), before it is read.

        Returns:
            float32 (n, outputs), see `ModelInfo.outputs`.
        """
        batches = [self._logits(pixels[start : start + batch_size]) for start in range(0, len(pixels), batch_size)]
        return np.concatenate(batches) if batches else np.empty((0, self.info.outputs), np.float32)

    def _logits(self, pixels: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            batch = self.info.preprocessing.normalize(torch.from_numpy(pixels).to(self.device))
            batch = batch.to(self._dtype, memory_format=torch.channels_last)
            logits = self.network(batch)
        return np.asarray(logits.float().cpu().numpy())

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
        return np.asarray(expit(logits / info.temperature))
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
    return np.asarray(softmax(logits - prior_correction * np.log(prior or 1.0), axis=1))


def shares_of(probabilities: np.ndarray) -> np.ndarray:
    """Return float (n, K) ≥ 0 with each row divided by its sum."""
    return probabilities / np.maximum(probabilities.sum(axis=1, keepdims=True), 1e-300)
