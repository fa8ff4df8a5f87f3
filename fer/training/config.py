"""All that decides how a training run goes. The README says which choices made the models of the package."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from fer.errors import TrainingError
from fer.model.preprocessing import Preprocessing

OPTIMIZERS = ("sgd", "adamw")
AUGMENTATIONS = ("none", "plain", "camera")
TARGETS = ("votes", "label")
STEMS = ("small", "original")
_CHOICES = {"stem": STEMS, "optimizer": OPTIMIZERS, "targets": TARGETS, "augmentation": AUGMENTATIONS}
LEARNING_RATES = {"sgd": 0.1, "adamw": 0.002}
"""The highest rate that each optimizer gets if none is asked for, for a network that begins with chance."""
FINE_TUNING = 0.2
"""Share of those rates for a network that begins with weights that were learned before."""
WEIGHT_DECAYS = {"sgd": 5e-4, "adamw": 0.05}

_AT_LEAST = {
    "epochs": 1,
    "size_px": 24,
    "freeze_epochs": 0,
    "batch_size": 2,
    "accumulate": 1,
    "learning_rate": 1e-8,
    "warmup_epochs": 0,
    "weight_decay": 0,
    "clip_norm": 0,
    "mixup": 0,
    "cutmix": 0,
    "patience": 0,
    "seed": 0,
    "folds": 0,
    "fold": 0,
}


@dataclass(frozen=True)
class TrainingConfig:
    """A training run; the same configuration and the same machine give the same model."""

    dataset: tuple[str, ...]
    """Paths, or "synthetic"; see `fer.datasets`. A single path may be given as text."""
    epochs: int = 28
    architecture: str = "resnet18"
    """Any classifier of torchvision by its name; see `fer.model.network`."""
    stem: str = "small"
    """"small": a first convolution for small pictures, "original": torchvision's own; see `fer.model.network`."""
    size_px: int = 48
    """Width and height of the faces that the network sees."""
    channels: int = 1
    """1: gray. 3: RGB."""
    init: str = "none"
    """What the weights begin with: "none" (chance), "imagenet" (torchvision's), or the path of a model file."""
    freeze_epochs: int = 0
    """For how many epochs only the last layer learns. Of use with `init`."""
    layer_decay: float = 1.0
    """The learning rate of each block is that of the next one times this, 0..1; 1: the same for all."""
    multilabel: bool = False
    """Whether each expression has a probability of its own (sigmoid), instead of all of them summing to 1 (softmax)."""
    optimizer: str = "sgd"
    """Either "sgd" (Nesterov's momentum of 0.9) or "adamw", which ConvNeXt and transformers need."""
    batch_size: int = 128
    """Pictures a step, of all processes together. Smaller for data sets under 8,192 pictures, and the learning rate
    with it; see `batch_size_for`."""
    accumulate: int = 1
    """In how many parts, one after the other, each batch goes through the network: less memory, the same step."""
    learning_rate: float | None = None
    """The highest, after the warm-up; None: see `peak_learning_rate`."""
    warmup_epochs: float = 2.0
    """At most; never more than a tenth of the epochs."""
    weight_decay: float | None = None
    """Not on biases and normalization. None: 5e-4 with sgd, 0.05 with adamw."""
    clip_norm: float = 0.0
    """Longer gradients are cut to this length; 0: never."""
    targets: str = "votes"
    """What is learned of each picture: "votes", the raters' distribution, or "label", their top choice only."""
    teacher: tuple[str, ...] = ()
    """Paths of model files whose answers, averaged, are learned beside the votes; see `fer.training.teachers`."""
    teacher_share: float = 0.5
    """Share of the teachers in what is learned, 0..1; the raters have the rest."""
    augmentation: str = "camera"
    """"none"; "plain": faces are turned, moved, lit and partly covered; "camera": and seen by bad cameras, too. See
    `fer.training.augmentation`."""
    mixup: float = 0.2
    """α of the Beta distribution that pictures are blended by (arXiv:1710.09412); 0 blends none."""
    cutmix: float = 0.0
    """α of the Beta distribution of the share that keeps its place when a rectangle comes from another picture
    (arXiv:1905.04899); 0 cuts none. With mixup, too, each batch has one of both by chance."""
    label_smoothing: float = 0.0
    """Share of each target that is spread evenly over all expressions, 0..1."""
    class_balance: float = 0.0
    """0: expressions are seen as often as they occur. 1: all equally often. Between: by (1 / frequency) to this."""
    dropout: float = 0.2
    ema_decay: float = 0.999
    """Decay, a step, of the moving average of the weights, which is what is evaluated and kept."""
    progressive: bool = True
    """Whether the first two thirds of the epochs see 2/3 and 5/6 of the size, which is faster and no worse."""
    patience: int = 0
    """After how many epochs without a better validation accuracy the training ends; 0: never early."""
    rule: str = "majority"
    """Which validation pictures choose the best epoch; see `FaceDataset.rows`."""
    seed: int = 0
    folds: int = 0
    """In how many parts the data set is cross-validated; 0: its own splits are used."""
    fold: int = 0
    """Which of them, from 1, is left out of this run's training."""

    def __post_init__(self) -> None:
        paths = (self.dataset,) if isinstance(self.dataset, str) else tuple(self.dataset)
        object.__setattr__(self, "dataset", paths)  # also what JSON made a list of
        object.__setattr__(self, "teacher", tuple(self.teacher))
        if not paths or not all(isinstance(path, str) and path for path in paths):
            raise TrainingError(f"dataset must be one or more paths, got {self.dataset!r}.")
        for name, least in _AT_LEAST.items():
            value = getattr(self, name)
            if value is not None and not value >= least:
                raise TrainingError(f"{name} must be at least {least}, got {value}.")
        for name in ("dropout", "ema_decay", "label_smoothing"):
            if not 0 <= getattr(self, name) < 1:
                raise TrainingError(f"{name} must be at least 0 and under 1, got {getattr(self, name)}.")
        for name in ("class_balance", "teacher_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise TrainingError(f"{name} must be from 0 to 1, got {getattr(self, name)}.")
        if not 0 < self.layer_decay <= 1:
            raise TrainingError(f"layer_decay must be over 0 and at most 1, got {self.layer_decay}.")
        if self.channels not in (1, 3):
            raise TrainingError(f"channels must be 1 (gray) or 3 (RGB), got {self.channels}.")
        for name, known in _CHOICES.items():
            if getattr(self, name) not in known:
                raise TrainingError(f"{name} must be one of {', '.join(known)}, got {getattr(self, name)!r}.")
        if self.folds in (1, 2) or self.fold > self.folds or (self.folds and not self.fold):
            raise TrainingError(
                f"fold must be 1 to folds, and folds 3 or more, or both 0, got {self.fold} of {self.folds}."
            )

    @property
    def preprocessing(self) -> Preprocessing:
        """What faces go through, in this run and ever after."""
        return Preprocessing(size_px=self.size_px, channels=self.channels)

    @property
    def peak_learning_rate(self) -> float:
        """The highest learning rate: what is asked for, else what suits the optimizer and where the weights begin."""
        if self.learning_rate is not None:
            return self.learning_rate
        return LEARNING_RATES[self.optimizer] * (1.0 if self.init == "none" else FINE_TUNING)

    @property
    def used_weight_decay(self) -> float:
        """What is asked for, else what suits the optimizer."""
        return WEIGHT_DECAYS[self.optimizer] if self.weight_decay is None else self.weight_decay

    def batch_size_for(self, pictures: int) -> int:
        """Return the batch size for a training split: small ones get more steps, as they need some hundred to learn.

        64 steps an epoch if that leaves 16 pictures for each, else 16 steps if that leaves 8.
        """
        return min(self.batch_size, max(pictures // 64, min(pictures // 16, 16), 8), pictures)

    def size_at(self, epoch: int) -> int:
        """Return the size in pixels that the pictures of an epoch (from 0) are shrunk to."""
        one_size_only = self.architecture.startswith(("vit_", "maxvit"))
        if not self.progressive or epoch == self.epochs - 1 or one_size_only:
            return self.size_px
        third = min(3 * epoch // self.epochs, 2)
        return round(self.size_px * (4 + third) / 6)

    def own_choices(self) -> dict[str, Any]:
        """Return the fields that are not as by default, but for the data set; of paths the last two parts."""
        usual = TrainingConfig(self.dataset)
        chosen = {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if getattr(self, field.name) != getattr(usual, field.name)
        }
        if "teacher" in chosen:
            chosen["teacher"] = [_end_of(file) for file in self.teacher]
        if "init" in chosen:
            chosen["init"] = _end_of(self.init)
        return chosen

    def differences(self, other: "TrainingConfig") -> list[str]:
        """Name the fields in which two configurations differ, with both values."""
        return [
            f"{field.name} {getattr(self, field.name)} against {getattr(other, field.name)}"
            for field in fields(self)
            if getattr(self, field.name) != getattr(other, field.name)
        ]


def _end_of(path: str) -> str:
    """Return a path's last two parts, of a run's model the run and the file."""
    return "/".join(Path(path).parts[-2:])
