"""The configuration of a training run. docs/training.md says which settings made the built-in models."""

import math
import operator
from dataclasses import dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import Any

from fer.errors import TrainingError
from fer.model.preprocessing import MOST_PX, Preprocessing

LEARNING_RATES = {"sgd": 0.1, "adamw": 0.002}
"""Peak rate of each optimizer for a randomly initialized network, unless another one is set."""
FINE_TUNING = 0.2
"""Factor on those rates for fine-tuning."""
WEIGHT_DECAYS = {"sgd": 5e-4, "adamw": 0.05}

_HOLDS = {"at_least": operator.ge, "over": operator.gt, "under": operator.lt, "at_most": operator.le}


def option(
    default: Any,
    metavar: str | None,
    help: str = "",
    *,
    group: str,
    flag: str | None = None,
    choices: tuple[Any, ...] = (),
    **bounds: float,
) -> Any:
    """Return a field with its help and constraints, for the command line and for errors.

    Args:
        default: the default value. It is appended to the help, unless that ends with parentheses of its own.
        metavar: placeholder of the value in the help.
        help: description.
        group: heading in the help.
        flag: name of the option, if it differs from the field's.
        choices: all allowed values.
        bounds: at_least, over, under or at_most: limits of a number.
    """
    about = {"metavar": metavar, "help": help, "group": group, "flag": flag, "choices": choices, "bounds": bounds}
    return field(default=default, metadata=about)


_data, _network, _training = (partial(option, group=group) for group in ("data", "network", "training"))


@dataclass(frozen=True)
class TrainingConfig:
    """The settings of a training run; the same settings on the same machine give the same model."""

    dataset: tuple[str, ...]
    """Paths, or "synthetic"; see `fer.datasets`. A single path may be given as text."""
    epochs: int = _training(28, "N", "passes over the training pictures", at_least=1)
    architecture: str = _network("resnet18", "NAME", "any torchvision classifier, or face_recognition_resnet")
    """See `fer.model.network`, also for the stem."""
    stem: str = _network(
        "small", None, "first convolution for small pictures, or torchvision's", choices=("small", "original")
    )
    size_px: int = _network(48, "PX", "width and height of the faces", flag="--size", at_least=24, at_most=MOST_PX)
    channels: int = _network(1, None, "1: gray, 3: RGB", choices=(1, 3))
    init: str = _network(
        "none",
        "FROM",
        "start from none (random initialization), imagenet, shipped (the built-in model), a model file, or "
        "face-recognition:FILE: dlib's weights as in the npm package @vladmandic/face-api, public domain (none)",
    )
    """One of "none" (random initialization), "imagenet" (torchvision's weights), the path of a model file, or
    "face-recognition:" and a path, see `fer.training.face_recognition`."""
    freeze_epochs: int = _network(0, "N", "epochs that train only the last layer", flag="--freeze", at_least=0)
    layer_decay: float = _network(1.0, "D", "factor on the learning rate from block to block", over=0, at_most=1)
    multilabel: bool = _network(False, None, "an independent probability for each expression")
    """By sigmoid, instead of softmax probabilities that sum to 1."""
    second_head: str = _network(
        "none",
        "NAME",
        "a second head in the same model: fer2013, the FER2013 labels of FER+'s pictures; or a name for the labels of "
        "--second-dataset (none)",
    )
    """The name is stored as the source of the second head's labels; see `fer.datasets.second`."""
    second_dataset: str = _data(
        "", "PATH", "the same pictures with the second head's labels (fer2013.csv beside the data set)"
    )
    second_weight: float = _training(0.5, "WEIGHT", "weight of the second head's loss", at_least=0)
    optimizer: str = _training("sgd", None, "adamw suits ConvNeXt and transformers", choices=("sgd", "adamw"))
    """SGD with Nesterov momentum of 0.9, or adamw, which ConvNeXt and transformers need."""
    batch_size: int = _training(128, "N", "pictures per step, over all processes", at_least=2)
    """Smaller for data sets under 8,192 pictures, with a lower learning rate; see `batch_size_for`."""
    accumulate: int = _training(1, "N", "split each batch into N parts to save memory", at_least=1)
    """The step stays the same."""
    learning_rate: float | None = _training(
        None, "RATE", "peak learning rate (sgd 0.1, adamw 0.002; a fifth for pretrained weights)", at_least=1e-8
    )
    """After the warm-up; None: see `peak_learning_rate`."""
    warmup_epochs: float = field(default=2.0, metadata={"bounds": {"at_least": 0}})
    """Upper limit; never more than a tenth of the epochs."""
    weight_decay: float | None = _training(
        None, "DECAY", "shrink weights, but not biases and normalization (sgd 0.0005, adamw 0.05)", at_least=0
    )
    """Not applied to biases and normalization."""
    clip_norm: float = _training(0.0, "NORM", "clip gradients to this norm (0: off)", flag="--clip", at_least=0)
    targets: str = _training(
        "votes", None, "train on the raters' votes, or on the top label only", choices=("votes", "label")
    )
    teacher: tuple[str, ...] = _training(
        (), "FILE", "distill from this model file, or shipped; repeat to average several"
    )
    """Paths; see `fer.training.teachers`."""
    teacher_share: float = _training(0.5, "SHARE", "weight of the teachers in the targets", at_least=0, at_most=1)
    teacher_view: str = _training(
        "once",
        None,
        "what teachers see: each picture once without augmentation, which is fast; or augmented, in each step the same "
        "pictures as the student, for long trainings",
        choices=("once", "augmented"),
    )
    soft_labels: str = _training(
        "", "FILE", "outputs of teachers, computed before, in an .npz with row and answers (none)"
    )
    """See `fer.training.teachers` for the format."""
    augmentation: str = _training(
        "camera",
        None,
        "plain: rotated, moved, lit, covered; camera: also blurred, noisy, …",
        choices=("none", "plain", "camera"),
    )
    """See `fer.training.augmentation`."""
    mixup: float = _training(0.2, "ALPHA", "blend pairs of pictures (0.2; 0: off)", at_least=0)
    """α of the Beta distribution for blending pictures (arXiv:1710.09412)."""
    cutmix: float = _training(0.0, "ALPHA", "paste a part of another picture (0: off)", at_least=0)
    """α of the Beta distribution for the share that is kept when a rectangle of another picture is pasted
    (arXiv:1905.04899). If mixup is on, too, each batch uses one of them at random."""
    label_smoothing: float = _training(0.0, "SHARE", "spread this share of each target evenly", at_least=0, under=1)
    """Share of each target that is spread evenly over all expressions."""
    class_balance: float = _training(0.0, "S", "0: sample as they occur, 1: all equally", at_least=0, at_most=1)
    """Expressions are sampled in proportion to (1 / frequency) to this power."""
    dropout: float = _network(0.2, "SHARE", "drop this share of the last features during training", at_least=0, under=1)
    ema_decay: float = _training(
        0.999, "DECAY", "average the weights over the steps with this decay; 0: off", at_least=0, under=1
    )
    """Decay per step of the moving average of the weights, which is what is evaluated and saved."""
    progressive: bool = _training(True, None, "start with smaller pictures (yes)")
    """The first two thirds of the epochs use 2/3 and 5/6 of the size, which is faster and no worse."""
    patience: int = _training(0, "N", "stop after N epochs without improvement (0: never)", at_least=0)
    """By validation accuracy."""
    rule: str = _data("majority", None, "which validation pictures count", choices=("majority", "argmax"))
    """They select the best epoch; see `FaceDataset.rows`."""
    seed: int = option(0, "N", "random seed", group="run and machine", at_least=0)
    folds: int = _data(0, "N", "cross-validate: runs NAME/fold-01 to N, mean ± sd (0: no)", at_least=0)
    """Number of folds; 0 uses the data set's own splits."""
    fold: int = field(default=0, metadata={"bounds": {"at_least": 0}})
    """The fold left out of this run's training, from 1."""

    def __post_init__(self) -> None:
        paths = (self.dataset,) if isinstance(self.dataset, str) else tuple(self.dataset)
        object.__setattr__(self, "dataset", paths)  # JSON makes it a list
        object.__setattr__(self, "teacher", tuple(self.teacher))
        if not paths or not all(isinstance(path, str) and path for path in paths):
            raise TrainingError(f"dataset must be one or more paths, got {self.dataset!r}.", "dataset")
        if self.second_dataset and not self.has_second_head:
            raise TrainingError(
                "second_dataset needs a second head, got none: name it with second_head.", "second_dataset"
            )
        if self.multilabel and self.has_second_head:
            raise TrainingError(
                "multilabel models have one head, got second_head, too. Leave out one of them.", "multilabel"
            )
        if self.soft_labels and self.teacher:
            raise TrainingError("soft_labels replace teachers, got both. Leave out one of them.", "soft_labels")
        if self.teacher_view == "augmented" and not self.teacher:
            raise TrainingError(
                "teacher_view augmented needs a teacher, got none: name one, or use once.", "teacher_view"
            )
        for one in fields(self):
            value, bounds = getattr(self, one.name), one.metadata.get("bounds", {})
            if value is not None and not all(_HOLDS[name](value, bound) for name, bound in bounds.items()):
                words = " and ".join(f"{name.replace('_', ' ')} {bound:g}" for name, bound in bounds.items())
                raise TrainingError(f"{one.name} must be {words}, got {value}.", one.name)
            choices = one.metadata.get("choices")
            if choices and value not in choices:
                raise TrainingError(
                    f"{one.name} must be one of {', '.join(map(str, choices))}, got {value!r}.", one.name
                )
        if self.folds in (1, 2) or self.fold > self.folds or (self.folds and not self.fold):
            raise TrainingError(
                f"fold must be 1 to folds, and folds at least 3, or both 0, got {self.fold} of {self.folds}."
            )

    @property
    def has_second_head(self) -> bool:
        """Whether the model has a second head."""
        return self.second_head != "none"

    @property
    def asks_in_each_step(self) -> bool:
        """Whether teachers are run on each augmented picture (Beyer et al. 2022, arXiv:2106.05237)."""
        return bool(self.teacher and self.teacher_share) and self.teacher_view == "augmented"

    @property
    def taught_by(self) -> tuple[str, ...]:
        """The files of the teachers and of the soft labels, without duplicates."""
        return tuple(path for path in dict.fromkeys((*self.teacher, self.soft_labels)) if path)

    @property
    def files(self) -> tuple[str, ...]:
        """The files of the initial weights and those of `taught_by`, without duplicates."""
        init = self.init.removeprefix("face-recognition:")
        return tuple(dict.fromkeys([*([] if init in ("none", "imagenet") else [init]), *self.taught_by]))

    @property
    def preprocessing(self) -> Preprocessing:
        """The preprocessing of faces, in this run and in the model."""
        return Preprocessing(size_px=self.size_px, channels=self.channels)

    @property
    def peak_learning_rate(self) -> float:
        """The peak learning rate as set, or the default for the optimizer and the initialization."""
        if self.learning_rate is not None:
            return self.learning_rate
        return LEARNING_RATES[self.optimizer] * (1.0 if self.init == "none" else FINE_TUNING)

    @property
    def used_weight_decay(self) -> float:
        """The weight decay as set, or the optimizer's default."""
        return WEIGHT_DECAYS[self.optimizer] if self.weight_decay is None else self.weight_decay

    def batch_size_for(self, pictures: int) -> int:
        """Return the batch size for a training split: smaller for small ones, which need some hundred steps to learn.

        64 steps per epoch if that leaves 16 pictures per step, else 16 steps if that leaves 8.
        """
        return min(self.batch_size, max(pictures // 64, min(pictures // 16, 16), 8), pictures)

    def rate_at(self, epoch: float, batch_size: int) -> float:
        """Return the last layer's learning rate at a moment in epochs, from 0, for a batch size.

        Linear warm-up, then cosine decay to 0. Batches smaller than `batch_size` lower the rate: in proportion with SGD
        (Goyal et al. 2017, arXiv:1706.02677), by the square root with AdamW, whose steps do not grow with the gradient.
        """
        share = batch_size / self.batch_size
        highest = self.peak_learning_rate * (share if self.optimizer == "sgd" else math.sqrt(share))
        warmup = min(self.warmup_epochs, self.epochs / 10)
        if epoch < warmup:
            return highest * max(epoch / warmup, 0.01)
        return highest * 0.5 * (1 + math.cos(math.pi * (epoch - warmup) / (self.epochs - warmup)))

    def size_at(self, epoch: int) -> int:
        """Return the picture size in pixels in an epoch, from 0."""
        one_size_only = self.architecture.startswith(("vit_", "maxvit"))
        if not self.progressive or epoch == self.epochs - 1 or one_size_only:
            return self.size_px
        third = min(3 * epoch // self.epochs, 2)
        return round(self.size_px * (4 + third) / 6)

    def own_choices(self) -> dict[str, Any]:
        """Return the fields that differ from the defaults, except the data set; paths keep their last two parts."""
        usual = vars(TrainingConfig(self.dataset))
        chosen = {name: value for name, value in vars(self).items() if value != usual[name]}
        if "teacher" in chosen:
            chosen["teacher"] = [_end_of(file) for file in self.teacher]
        for name in {"init", "soft_labels", "second_dataset"} & chosen.keys():
            chosen[name] = _end_of(chosen[name])
        return chosen

    def differences(self, other: "TrainingConfig") -> list[str]:
        """List the fields in which two configurations differ, with both values."""
        pairs = zip(vars(self).items(), vars(other).values(), strict=True)
        return [f"{name} {mine} against {others}" for (name, mine), others in pairs if mine != others]


def _end_of(path: str) -> str:
    """Return a path's last two parts: for a run's model, the run and the file."""
    return "/".join(Path(path).parts[-2:])
