"""All that decides how a training run goes. The README says which choices made the models of the package."""

import math
import operator
from dataclasses import dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import Any

from fer.errors import TrainingError
from fer.model.preprocessing import MOST_PX, Preprocessing

LEARNING_RATES = {"sgd": 0.1, "adamw": 0.002}
"""The highest rate that each optimizer gets if none is asked for, for a network that begins with chance."""
FINE_TUNING = 0.2
"""Share of those rates for a network that begins with weights that were learned before."""
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
    """Return a field with all that there is to say of it, on the command line and in errors.

    Args:
        default: its value where nobody chooses one. The help ends with it, unless that has parentheses of its own.
        metavar: what stands for the value in the help.
        help: what it is for.
        group: the heading that it stands below in the help.
        flag: the option's name where it is not the field's.
        choices: all values that it may have.
        bounds: at_least, over, under or at_most which number it has to be.
    """
    about = {"metavar": metavar, "help": help, "group": group, "flag": flag, "choices": choices, "bounds": bounds}
    return field(default=default, metadata=about)


_data, _network, _training = (partial(option, group=group) for group in ("data", "network", "training"))


@dataclass(frozen=True)
class TrainingConfig:
    """A training run; the same configuration and the same machine give the same model."""

    dataset: tuple[str, ...]
    """Paths, or "synthetic"; see `fer.datasets`. A single path may be given as text."""
    epochs: int = _training(28, "N", at_least=1)
    architecture: str = _network("resnet18", "NAME", "any classifier of torchvision, or face_recognition_resnet")
    """See `fer.model.network`, for the stem too."""
    stem: str = _network(
        "small", None, "first convolution for small pictures, or torchvision's", choices=("small", "original")
    )
    size_px: int = _network(48, "PX", "width and height of the faces", flag="--size", at_least=24, at_most=MOST_PX)
    channels: int = _network(1, None, "1: gray, 3: RGB", choices=(1, 3))
    init: str = _network(
        "none",
        "FROM",
        "none, imagenet, shipped (the model of the package), a model file, or face-recognition:FILE, dlib's weights in "
        "the form of the npm package @vladmandic/face-api, public domain (none)",
    )
    """Here "none" (chance), "imagenet" (torchvision's weights), the path of a model file, or "face-recognition:" and a
    path, see `fer.training.face_recognition`."""
    freeze_epochs: int = _network(0, "N", "epochs in which only the last layer learns", flag="--freeze", at_least=0)
    layer_decay: float = _network(1.0, "D", "a block's learning rate is the next one's times this", over=0, at_most=1)
    multilabel: bool = _network(False, None, "a probability of its own for each expression")
    """By sigmoid, instead of all of them summing to 1 by softmax."""
    second_head: str = _network(
        "none",
        "NAME",
        "a second opinion in the same model: fer2013, what FER-2013 calls the pictures of FER+; or a name for what "
        "--second-dataset calls them (none)",
    )
    """Its labels are the source of the second head's; see `fer.datasets.second`."""
    second_dataset: str = _data(
        "", "PATH", "the same pictures with the labels of the second head (fer2013.csv beside the data set)"
    )
    second_share: float = _training(0.5, "WEIGHT", "of the second head in what is learned, against 1", at_least=0)
    optimizer: str = _training("sgd", None, choices=("sgd", "adamw"))
    """Nesterov's momentum of 0.9, or adamw, which ConvNeXt and transformers need."""
    batch_size: int = _training(128, "N", "pictures a step, of all processes", at_least=2)
    """Smaller for data sets under 8,192 pictures, and the learning rate with it; see `batch_size_for`."""
    accumulate: int = _training(1, "N", "parts of a batch, one after the other", at_least=1)
    """Less memory, the same step."""
    learning_rate: float | None = _training(
        None, "RATE", "highest (sgd 0.1, adamw 0.002; a fifth with --init)", at_least=1e-8
    )
    """After the warm-up; None: see `peak_learning_rate`."""
    warmup_epochs: float = field(default=2.0, metadata={"bounds": {"at_least": 0}})
    """At most; never more than a tenth of the epochs."""
    weight_decay: float | None = _training(None, "DECAY", "(sgd 0.0005, adamw 0.05)", at_least=0)
    """Not on biases and normalization."""
    clip_norm: float = _training(0.0, "NORM", "cut longer gradients (0: never)", flag="--clip", at_least=0)
    targets: str = _training(
        "votes", None, "learn the raters' votes, or the top label only", choices=("votes", "label")
    )
    teacher: tuple[str, ...] = _training(
        (), "FILE", "also learn what this model file says, or shipped; several times for the average of several"
    )
    """Paths here; see `fer.training.teachers`."""
    teacher_share: float = _training(0.5, "SHARE", "of the teachers in what is learned", at_least=0, at_most=1)
    teacher_view: str = _training(
        "once",
        None,
        "what teachers see: once each picture as it is, which is fast; or augmented, in each step just the changed "
        "picture that the student sees, for long trainings",
        choices=("once", "augmented"),
    )
    soft_labels: str = _training(
        "", "FILE", "answers that teachers gave before, instead of teachers: an .npz with row and answers (none)"
    )
    """See `fer.training.teachers` for the form."""
    augmentation: str = _training(
        "camera",
        None,
        "plain: turned, moved, lit, covered; camera: also blurred, noisy, …",
        choices=("none", "plain", "camera"),
    )
    """See `fer.training.augmentation`."""
    mixup: float = _training(0.2, "ALPHA", "(0.2; 0: off)", at_least=0)
    """α of the Beta distribution that pictures are blended by (arXiv:1710.09412)."""
    cutmix: float = _training(0.0, "ALPHA", "(0: off)", at_least=0)
    """α of the Beta distribution of the share that keeps its place when a rectangle comes from another picture
    (arXiv:1905.04899). With mixup, too, each batch has one of both by chance."""
    label_smoothing: float = _training(0.0, "SHARE", at_least=0, under=1)
    """Share of each target that is spread evenly over all expressions."""
    class_balance: float = _training(0.0, "S", "0: as they occur, 1: all equally often", at_least=0, at_most=1)
    """Between: expressions are seen by (1 / frequency) to this."""
    dropout: float = _network(0.2, "SHARE", at_least=0, under=1)
    ema_decay: float = _training(0.999, "DECAY", at_least=0, under=1)
    """Decay, a step, of the moving average of the weights, which is what is evaluated and kept."""
    progressive: bool = _training(True, None, "begin with smaller pictures (yes)")
    """The first two thirds of the epochs see 2/3 and 5/6 of the size, which is faster and no worse."""
    patience: int = _training(0, "N", "end after N epochs without a better one (0: never)", at_least=0)
    """By validation accuracy."""
    rule: str = _data("majority", None, "which validation pictures count", choices=("majority", "argmax"))
    """They choose the best epoch; see `FaceDataset.rows`."""
    seed: int = option(0, "N", group="run and machine", at_least=0)
    folds: int = _data(0, "N", "cross-validate: runs NAME/fold-01 to N, mean ± sd (0: no)", at_least=0)
    """In how many parts; 0: the data set's own splits are used."""
    fold: int = field(default=0, metadata={"bounds": {"at_least": 0}})
    """Which of them, from 1, is left out of this run's training."""

    def __post_init__(self) -> None:
        paths = (self.dataset,) if isinstance(self.dataset, str) else tuple(self.dataset)
        object.__setattr__(self, "dataset", paths)  # also what JSON made a list of
        object.__setattr__(self, "teacher", tuple(self.teacher))
        if not paths or not all(isinstance(path, str) and path for path in paths):
            raise TrainingError(f"dataset must be one or more paths, got {self.dataset!r}.", "dataset")
        if self.second_dataset and not self.has_second_head:
            raise TrainingError(
                "second_dataset is for a second head, got none: name it with second_head.", "second_dataset"
            )
        if self.multilabel and self.has_second_head:
            raise TrainingError(
                "multilabel models have one head, got second_head with it. Leave out one of both.", "multilabel"
            )
        if self.soft_labels and self.teacher:
            raise TrainingError("soft_labels stand for teachers, got both. Leave out one of them.", "soft_labels")
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
                f"fold must be 1 to folds, and folds 3 or more, or both 0, got {self.fold} of {self.folds}."
            )

    @property
    def has_second_head(self) -> bool:
        """Whether the model gets a second opinion."""
        return self.second_head != "none"

    @property
    def asks_in_each_step(self) -> bool:
        """Whether teachers are asked about each changed picture (Beyer et al. 2022, arXiv:2106.05237)."""
        return bool(self.teacher and self.teacher_share) and self.teacher_view == "augmented"

    @property
    def files(self) -> tuple[str, ...]:
        """What the run begins with and is taught by: paths, each once."""
        paths = (self.init.removeprefix("face-recognition:"), *self.teacher, self.soft_labels)
        return tuple(path for path in dict.fromkeys(paths) if path not in ("", "none", "imagenet"))

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

    def rate_at(self, epoch: float, batch_size: int) -> float:
        """Return the last layer's learning rate at a moment, in epochs from 0, with batches of a size.

        Up in a straight line, then down along a cosine to 0. Batches that are smaller than asked for get a lower rate:
        in proportion with SGD (Goyal et al. 2017, arXiv:1706.02677), by the square root with AdamW, whose steps do not
        grow with the gradient.
        """
        share = batch_size / self.batch_size
        highest = self.peak_learning_rate * (share if self.optimizer == "sgd" else math.sqrt(share))
        warmup = min(self.warmup_epochs, self.epochs / 10)
        if epoch < warmup:
            return highest * max(epoch / warmup, 0.01)
        return highest * 0.5 * (1 + math.cos(math.pi * (epoch - warmup) / (self.epochs - warmup)))

    def size_at(self, epoch: int) -> int:
        """Return the size in pixels that the pictures of an epoch (from 0) are shrunk to."""
        one_size_only = self.architecture.startswith(("vit_", "maxvit"))
        if not self.progressive or epoch == self.epochs - 1 or one_size_only:
            return self.size_px
        third = min(3 * epoch // self.epochs, 2)
        return round(self.size_px * (4 + third) / 6)

    def own_choices(self) -> dict[str, Any]:
        """Return the fields that are not as by default, but for the data set; of paths the last two parts."""
        usual = vars(TrainingConfig(self.dataset))
        chosen = {name: value for name, value in vars(self).items() if value != usual[name]}
        if "teacher" in chosen:
            chosen["teacher"] = [_end_of(file) for file in self.teacher]
        for name in {"init", "soft_labels", "second_dataset"} & chosen.keys():
            chosen[name] = _end_of(chosen[name])
        return chosen

    def differences(self, other: "TrainingConfig") -> list[str]:
        """Name the fields in which two configurations differ, with both values."""
        pairs = zip(vars(self).items(), vars(other).values(), strict=True)
        return [f"{name} {mine} against {others}" for (name, mine), others in pairs if mine != others]


def _end_of(path: str) -> str:
    """Return a path's last two parts, of a run's model the run and the file."""
    return "/".join(Path(path).parts[-2:])
