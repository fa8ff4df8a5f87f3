"""A loaded model: prepared faces in, probabilities out."""

import os

import numpy as np
import torch
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

    @classmethod
    def load(cls, path: str | os.PathLike[str] = DEFAULT_CHECKPOINT, device: str = "cpu") -> "Classifier":
        """Read a model file.

        Raises:
            CheckpointError: the file is missing, damaged or not one of ours.
        """
        return cls(*load_checkpoint(path), device=device)

    def logits(self, pixels: np.ndarray, batch_size: int = 256) -> np.ndarray:
        """Return float32 (n, K), divided by the temperature, for `Preprocessing.shrink`ed faces uint8 (n, C, S, S)."""
        batches = [self._logits(pixels[start : start + batch_size]) for start in range(0, len(pixels), batch_size)]
        return np.concatenate(batches) if batches else np.empty((0, len(self.info.labels)), np.float32)

    def _logits(self, pixels: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            batch = self.info.preprocessing.normalize(torch.from_numpy(pixels).to(self.device))
            logits = self.network(batch.contiguous(memory_format=torch.channels_last))
        return (logits.float() / self.info.temperature).cpu().numpy()

    def probabilities(self, pixels: np.ndarray, batch_size: int = 256) -> np.ndarray:
        """Return float64 (n, K), rows summing to 1, for `Preprocessing.shrink`ed faces uint8 (n, C, S, S)."""
        return softmax(self.logits(pixels, batch_size))


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return the softmax of each row in float64."""
    powers = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True, initial=-np.inf))
    return powers / powers.sum(axis=1, keepdims=True)
