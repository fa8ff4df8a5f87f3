"""Devices and precision."""

from typing import TYPE_CHECKING

from fer.errors import FerError

if TYPE_CHECKING:
    import torch


def choose_device(wanted: str | None = None) -> str:
    """Return the requested device, or the best one available.

    Args:
        wanted: "cpu", "cuda", "cuda:1", "mps"; None chooses.

    Raises:
        FerError: this machine, or this build of PyTorch, does not have it.
    """
    if wanted == "cpu":
        return wanted
    import torch

    there = ["cpu"]
    if torch.backends.mps.is_available():
        there.append("mps")
    if torch.cuda.is_available():
        there += [*(f"cuda:{number}" for number in range(torch.cuda.device_count())), "cuda"]
    if wanted is None:
        return there[-1]
    if wanted not in there:
        raise FerError(f"expected a device available to PyTorch here ({', '.join(there)}), got {wanted!r}.")
    return wanted


def mixed_precision(device: str) -> "torch.dtype | None":
    """Return the dtype for mixed precision where that is faster than float32, else None.

    float16 on GPUs without bfloat16; its gradients must be scaled, see `torch.amp.GradScaler`.
    """
    import torch

    if device == "cpu":
        return torch.bfloat16 if torch.cpu._is_avx512_bf16_supported() else None
    if device.startswith("cuda"):
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    return None


def autocast(device: str) -> "torch.autocast":
    """Return a context in which networks compute in the device's `mixed_precision`, if it has one."""
    import torch

    precision = mixed_precision(device)
    return torch.autocast(torch.device(device).type, dtype=precision, enabled=precision is not None)
