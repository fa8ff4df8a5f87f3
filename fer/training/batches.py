"""Training batches: each epoch has a new order, new augmentation and new mixed pairs.

Random numbers depend on (seed, epoch), so a run that was killed and resumed sees the same pictures as an uninterrupted
one.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from fer.training.augmentation import augment, cutmix
from fer.training.config import TrainingConfig
from fer.training.distributed import Processes
from fer.training.teachers import Teachers, resized


@dataclass(frozen=True, eq=False)
class Batch:
    """This process's part of a batch, on the device."""

    faces: torch.Tensor
    """float32 (n, C, S, S), normalized, channels last."""
    targets: torch.Tensor
    """float32 (n, K of all heads); the first head's part of each row sums to 1."""
    credits: torch.Tensor
    """float32 (n, K of the first head), the credit for each predicted label; see `epoch.right_count`."""


class TrainingBatches:
    """Makes the batches of each epoch."""

    def __init__(
        self,
        config: TrainingConfig,
        pixels: torch.Tensor,
        targets: torch.Tensor,
        device: str,
        processes: Processes | None = None,
        second: int = 0,
        teachers: Teachers | None = None,
    ) -> None:
        """Set up for pictures, uint8 (N, C, S, S), and targets, float32 (N, K of both heads), shares of votes.

        The pictures are kept on the device if they fit. The first head's part of the targets sums to 1; the last
        `second` columns belong to a second head.
        """
        self.config = config
        self.pixels = pixels.to(device) if _has_room(device, pixels) else pixels
        self.heads = (targets.shape[1] - second, second) if second else (targets.shape[1],)
        """How many labels each head has."""
        self.device = device
        self.teachers = teachers
        self.processes = processes or Processes()
        self.batch_size = config.batch_size_for(len(pixels))
        """Over all processes."""
        self.count = len(pixels) // self.batch_size
        """Batches per epoch. The remainder, too few for batch normalization, has its turn in another epoch."""
        first = targets[:, : self.heads[0]]
        self._weights = _picture_weights(first, config.class_balance)
        weights = torch.ones(len(targets)) if self._weights is None else self._weights
        seen = (weights @ targets).clamp_min(weights.mean())  # at least that of a single picture
        self.priors = tuple(tuple((part / part.sum()).tolist()) for part in seen.split(self.heads))
        """For each head, the share of each label among the pictures of an epoch, 0..1; they sum to 1, none is 0."""
        self._credits = F.one_hot(first.argmax(dim=1), self.heads[0]).float().to(device)
        self._targets = targets.to(device)

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
        pixels = self.pixels[chosen.to(self.pixels.device, non_blocking=True)].to(self.device)
        chosen = chosen.to(self.device, non_blocking=True)
        targets, credits = self._targets[chosen], self._credits[chosen]
        # Teachers need the full size, not the small pictures of the first epochs.
        faces = augment(pixels, config.size_px if self.teachers else size_px, generator, config.augmentation)
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
            first = targets[:, : self.heads[0]]
            first.lerp_(torch.full_like(first, 1 / self.heads[0]), config.label_smoothing)
        if self.teachers:
            targets = self.teachers.taught(targets, faces)
        faces = resized(faces, size_px)
        faces = config.preprocessing.normalize(faces).contiguous(memory_format=torch.channels_last)
        return Batch(faces, targets, credits)


def _has_room(device: str, pixels: torch.Tensor) -> bool:
    """Whether all pictures fit on a device, with room left for computing."""
    return not device.startswith("cuda") or 2 * pixels.nbytes < torch.cuda.mem_get_info(device)[0]


def _picture_weights(targets: torch.Tensor, balance: float) -> torch.Tensor | None:
    """Return the relative sampling weight of each picture, (N,): (1 / frequency of its labels) ** balance."""
    if balance == 0:
        return None
    frequency = targets.mean(dim=0).clamp_min(1 / len(targets))
    return targets @ frequency.pow(-balance)
