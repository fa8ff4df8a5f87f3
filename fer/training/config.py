"""All that decides how a training run goes. The defaults made the model that comes with the package."""

from dataclasses import dataclass, fields

from fer.errors import TrainingError
from fer.model.preprocessing import Preprocessing


@dataclass(frozen=True)
class TrainingConfig:
    """A training run; the same configuration and the same machine give the same model."""

    dataset: str
    """A path, or "synthetic"; see `fer.datasets`."""
    epochs: int = 28
    architecture: str = "resnet18"
    size_px: int = 48
    """Width and height of the faces that the network sees."""
    channels: int = 1
    """1: gray. 3: RGB."""
    batch_size: int = 128
    """Smaller for data sets under 2,048 pictures, and the learning rate with it; see `batch_size_for`."""
    learning_rate: float = 0.1
    """The highest, after the warm-up, for stochastic gradient descent with Nesterov's momentum of 0.9."""
    warmup_epochs: float = 2.0
    """At most; never more than a tenth of the epochs."""
    weight_decay: float = 5e-4
    """Not on biases and normalization."""
    mixup: float = 0.2
    """α of the Beta distribution that pictures are blended by (arXiv:1710.09412); 0 blends none."""
    dropout: float = 0.2
    ema_decay: float = 0.999
    """Decay, a step, of the moving average of the weights, which is what is evaluated and kept."""
    progressive: bool = True
    """Whether the first two thirds of the epochs see 2/3 and 5/6 of the size, which is faster and no worse."""
    rule: str = "majority"
    """Which validation pictures choose the best epoch; see `FaceDataset.rows`."""
    seed: int = 0

    def __post_init__(self) -> None:
        lowest = {"epochs": 1, "size_px": 24, "batch_size": 2, "learning_rate": 1e-8, "warmup_epochs": 0}
        lowest |= {"weight_decay": 0, "mixup": 0, "seed": 0}
        for name, least in lowest.items():
            if not getattr(self, name) >= least:
                raise TrainingError(f"{name} must be at least {least}, got {getattr(self, name)}.")
        for name in ("dropout", "ema_decay"):
            if not 0 <= getattr(self, name) < 1:
                raise TrainingError(f"{name} must be at least 0 and under 1, got {getattr(self, name)}.")
        if self.channels not in (1, 3):
            raise TrainingError(f"channels must be 1 (gray) or 3 (RGB), got {self.channels}.")

    @property
    def preprocessing(self) -> Preprocessing:
        """What faces go through, in this run and ever after."""
        return Preprocessing(size_px=self.size_px, channels=self.channels)

    def batch_size_for(self, pictures: int) -> int:
        """Return the batch size for a training split: small splits get at least 16 steps an epoch, of 8 or more."""
        return min(self.batch_size, max(pictures // 16, 8), pictures)

    def size_at(self, epoch: int) -> int:
        """Return the size in pixels that the pictures of an epoch (from 0) are shrunk to."""
        if not self.progressive or self.epochs < 3:
            return self.size_px
        third = min(3 * epoch // self.epochs, 2)
        return round(self.size_px * (4 + third) / 6)

    def differences(self, other: "TrainingConfig") -> list[str]:
        """Name the fields in which two configurations differ, with both values."""
        return [
            f"{field.name} {getattr(self, field.name)} against {getattr(other, field.name)}"
            for field in fields(self)
            if getattr(self, field.name) != getattr(other, field.name)
        ]
