"""A network in torch: for GPUs, training and gradients. Importing it takes seconds."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import nn

from fer.model.checkpoint import ModelInfo, load_checkpoint
from fer.model.classifier import Classifier
from fer.model.preprocessing import Preprocessing


class TorchNetwork:
    """A module with its normalization, see `fer.model.classifier.Network`."""

    def __init__(self, preprocessing: Preprocessing, module: nn.Module, device: str = "cpu") -> None:
        """Take a module in evaluation mode, as `load_checkpoint` returns it, and move it to `device`."""
        self.module = module.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._preprocessing, self._device = preprocessing, device
        self._dtype = next((parameter.dtype for parameter in module.parameters()), torch.float32)

    @classmethod
    def load(cls, path: Path, device: str = "cpu", threads: int | None = None) -> "TorchNetwork":
        """Load a model file; see `Classifier.load`.

        Raises:
            CheckpointError: see `load_checkpoint`.
        """
        if threads:
            torch.set_num_threads(threads)
        info, module = load_checkpoint(path)
        return cls(info.preprocessing, module, device)

    @property
    def runtime(self) -> str:
        """Runtime, precision and device: "torch, float32", "torch, bfloat16 on cuda"."""
        where = "" if self._device == "cpu" else f" on {self._device}"
        return f"torch, {str(self._dtype).removeprefix('torch.')}{where}"

    def logits(self, pixels: np.ndarray) -> np.ndarray:
        """Return float32 (n, outputs) for faces uint8 (n, C, S, S)."""
        with torch.inference_mode():
            batch = self._preprocessing.normalize(torch.from_numpy(pixels).to(self._device))
            logits = self.module(batch.to(self._dtype, memory_format=torch.channels_last))
        return np.asarray(logits.float().cpu().numpy())

    def reduced(self) -> "TorchNetwork":
        """Return a copy that computes in bfloat16 if the processor has it (AVX512-BF16, AMX), else this one.

        It is 1.5 to 2 times as fast; probabilities differ by about 0.01.
        """
        if self._device != "cpu" or not torch.cpu._is_avx512_bf16_supported():
            return self
        return TorchNetwork(self._preprocessing, copy.deepcopy(self.module).bfloat16())

    def in_torch(self) -> "TorchNetwork":
        """Return this network."""
        return self

    @contextmanager
    def on_one_thread(self) -> "Iterator[TorchNetwork]":
        """Limit torch to one thread, in the whole process."""
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield self
        finally:
            torch.set_num_threads(before)


def torch_classifier(info: ModelInfo, module: nn.Module, device: str = "cpu") -> Classifier:
    """Return a classifier for a module in memory; see `TorchNetwork`."""
    return Classifier(info, TorchNetwork(info.preprocessing, module, device))
