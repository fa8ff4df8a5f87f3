"""The training pictures as batches: in each epoch another order, other random changes, other pairs that are mixed.

Chance is drawn anew in each epoch from (seed, epoch), so a run that was killed and resumed sees the same pictures as
one that was not.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from fer.training.augmentation import augment, cutmix
from fer.training.config import TrainingConfig
from fer.training.distributed import Processes


@dataclass(frozen=True, eq=False)
class Batch:
    """This process' share of a batch, on the device."""

    faces: torch.Tensor
    """float32 (n, C, S, S), normalized, channels last."""
    targets: torch.Tensor
    """float32 (n, K), rows summing to 1."""
    credits: torch.Tensor
    """float32 (n, K), what naming each label is worth; see `epoch.right_count`."""


class TrainingBatches:
    """Makes the batches of any epoch."""

    def __init__(
        self,
        config: TrainingConfig,
        pixels: torch.Tensor,
        targets: torch.Tensor,
        device: str,
        processes: Processes | None = None,
    ) -> None:
        """Take uint8 (N, C, S, S) pictures and float32 (N, K) shares of votes."""
        self.config = config
        self.pixels = pixels
        self.targets = targets
        self.device = device
        self.processes = processes or Processes()
        self.batch_size = config.batch_size_for(len(pixels))
        """Of all processes together."""
        self.count = len(pixels) // self.batch_size
        """In an epoch. The rest, too few for batch normalization, has its turn in another epoch."""
        self._credits = F.one_hot(targets.argmax(dim=1), targets.shape[1]).float()
        self._weights = _picture_weights(targets, config.class_balance)

    @property
    def prior(self) -> tuple[float, ...]:
        """Share of each label in what an epoch sees, 0..1; K numbers that sum to 1, none of them 0."""
        weights = torch.ones(len(self.targets)) if self._weights is None else self._weights
        shares = (weights @ self.targets).clamp_min(weights.mean())  # at least that of a single picture
        return tuple((shares / shares.sum()).tolist())

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """Yield the batches of an epoch, from 0."""
        seed = self.config.seed * 100_003 + epoch
        together = torch.Generator().manual_seed(seed)  # the same in all processes
        alone = torch.Generator().manual_seed(seed + 7_919 * (1 + self.processes.rank))
        mixing = np.random.default_rng(seed)
        size_px = self.config.size_at(epoch)
        if self._weights is None:
            order = torch.randperm(len(self.pixels), generator=together)
        else:
            order = torch.multinomial(self._weights, len(self.pixels), replacement=True, generator=together)
        for number in range(self.count):
            chosen = order[number * self.batch_size : (number + 1) * self.batch_size]
            yield self._batch(chosen[self.processes.rank :: self.processes.count], size_px, alone, mixing)

    def _batch(
        self, chosen: torch.Tensor, size_px: int, generator: torch.Generator, mixing: np.random.Generator
    ) -> Batch:
        config = self.config
        faces = augment(self.pixels[chosen].to(self.device), size_px, generator, config.augmentation)
        targets, credits = self.targets[chosen].to(self.device), self._credits[chosen].to(self.device)
        cuts = config.cutmix > 0 and (config.mixup == 0 or mixing.random() < 0.5)
        alpha = config.cutmix if cuts else config.mixup
        if alpha:
            partner = torch.randperm(len(chosen), generator=generator).to(self.device)
            share = float(mixing.beta(alpha, alpha))
            if cuts:
                faces, share = cutmix(faces, partner, share, generator)
            else:
                faces = faces.lerp(faces[partner], 1 - share)  # mixup (Zhang et al. 2018, arXiv:1710.09412)
            targets = targets.lerp(targets[partner], 1 - share)
            credits = credits.lerp(credits[partner], 1 - share)
        if config.label_smoothing:
            targets = targets.lerp(torch.full_like(targets, 1 / targets.shape[1]), config.label_smoothing)
        faces = config.preprocessing.normalize(faces).contiguous(memory_format=torch.channels_last)
        return Batch(faces, targets, credits)


def _picture_weights(targets: torch.Tensor, balance: float) -> torch.Tensor | None:
    """Return how often each picture is seen, relatively, (N,): (1 / frequency of its labels) ** balance."""
    if balance == 0:
        return None
    frequency = targets.mean(dim=0).clamp_min(1 / len(targets))
    return targets @ frequency.pow(-balance)
