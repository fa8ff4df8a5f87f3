"""A loaded model: prepared faces in, probabilities out."""

import copy
import os
from dataclasses import replace

import numpy as np
import torch
from scipy.special import expit, softmax
from torch import nn

from fer.model import DEFAULT_CHECKPOINT
from fer.model.checkpoint import ModelInfo, load_checkpoint


class Classifier:
    """A network with its labels and its preprocessing. Safe to share between threads: it changes nothing."""

    def __init__(self, info: ModelInfo, network: nn.Module, device: str = "cpu") -> None:
        """Take a network in evaluation mode, as `load_checkpoint` returns it, and move it to `device`."""
        self.info = info
        self.network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.device = device
        self._dtype = next((parameter.dtype for parameter in network.parameters()), torch.float32)
        self._shift = info.prior_correction * np.log(np.array(info.prior or [1.0], np.float32))

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

    def corrected(self, prior_correction: float) -> "Classifier":
        """Return a classifier with the same network and another correction, see `ModelInfo.prior_correction`.

        This one where the correction is the same already, or where the model has no prior to correct.
        """
        if prior_correction == self.info.prior_correction or not self.info.can_be_corrected:
            return self
        return Classifier(replace(self.info, prior_correction=prior_correction), self.network, self.device)

    def logits(self, pixels: np.ndarray, batch_size: int = 256) -> np.ndarray:
        """Return float32 (n, K) for `Preprocessing.shrink`ed faces uint8 (n, C, S, S).

        Corrected for the prior, then divided by the temperature.
        """
        batches = [self._logits(pixels[start : start + batch_size]) for start in range(0, len(pixels), batch_size)]
        return np.concatenate(batches) if batches else np.empty((0, len(self.info.labels)), np.float32)

    def _logits(self, pixels: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            batch = self.info.preprocessing.normalize(torch.from_numpy(pixels).to(self.device))
            batch = batch.to(self._dtype, memory_format=torch.channels_last)
            logits = self.network(batch)
        return (logits.float().cpu().numpy() - self._shift) / self.info.temperature

    def probabilities(self, pixels: np.ndarray, batch_size: int = 256) -> np.ndarray:
        """Return float64 (n, K), 0..1, for `Preprocessing.shrink`ed faces uint8 (n, C, S, S).

        Rows sum to 1, but for a multilabel model, where each expression has a probability of its own.
        """
        return probabilities_of(self.info, self.logits(pixels, batch_size))

    def distributions(self, pixels: np.ndarray, batch_size: int = 256) -> np.ndarray:
        """Return the probabilities as shares of their sum, so that rows sum to 1 whatever the model."""
        return shares_of(self.probabilities(pixels, batch_size))


def probabilities_of(info: ModelInfo, logits: np.ndarray) -> np.ndarray:
    """Return float64 (n, K) for logits (n, K) that are divided by the temperature."""
    logits = logits.astype(np.float64)
    return np.asarray(expit(logits) if info.multilabel else softmax(logits, axis=1))


def shares_of(probabilities: np.ndarray) -> np.ndarray:
    """Return float (n, K) ≥ 0 with each row divided by its sum."""
    return probabilities / np.maximum(probabilities.sum(axis=1, keepdims=True), 1e-300)
