"""Where networks run."""

import torch

from fer.errors import FerError


def choose_device(wanted: str | None = None) -> str:
    """Return the device that is asked for, or the best one there is.

    Args:
        wanted: "cpu", "cuda", "cuda:1", "mps"; None chooses.

    Raises:
        FerError: this machine, or this build of PyTorch, does not have it.
    """
    there = ["cpu"]
    if torch.backends.mps.is_available():
        there.append("mps")
    if torch.cuda.is_available():
        there += [*(f"cuda:{number}" for number in range(torch.cuda.device_count())), "cuda"]
    if wanted is None:
        return there[-1]
    if wanted not in there:
        raise FerError(f"expected a device of {', '.join(there)}, which is what PyTorch finds here, got {wanted!r}.")
    return wanted
