"""Random numbers for a batch: drawn on the CPU, so that a resumed run and another device see the same ones."""

import torch


def uniform(count: int, low: float, high: float, like: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Return float32 (count,), evenly between two bounds, on the device of `like`."""
    return torch.empty(count).uniform_(low, high, generator=generator).to(like.device)


def chosen(count: int, share: float, like: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Return the indices of a share of a batch, int (m,), on the device of `like`."""
    return torch.nonzero(uniform(count, 0, 1, like, generator) < share).flatten()
