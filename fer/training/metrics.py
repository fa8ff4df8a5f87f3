"""The metrics of an epoch, and the hooks through which the loop reports them."""

from collections.abc import Callable
from dataclasses import dataclass

PARTS, MOST_PARTS = 20, 600
"""Parts per epoch in steps.jsonl, and the limit per run, but at least one per epoch."""


@dataclass(frozen=True, kw_only=True)
class Learned:
    """The training metrics of one epoch."""

    train_loss: float | None = None
    """Mean over the pictures."""
    train_accuracy: float | None = None
    learning_rate: float | None = None
    """At the last step."""
    faces: int = 0
    """Number of training pictures."""


@dataclass(frozen=True)
class EpochMetrics(Learned):
    """A line of metrics.jsonl. Fields that earlier versions did not write are None, 0 or empty."""

    epoch: int
    """From 1."""
    validation_accuracy: float
    """0..1, like all accuracies."""
    validation_loss: float | None = None
    validation_macro_f1: float | None = None
    validation_confusion: tuple[tuple[int, ...], ...] = ()
    """Counts (K, K): rows are the truth, columns the predictions."""
    size_px: int = 0
    """Width and height of the faces."""
    seconds: float = 0.0

    @property
    def validation_n(self) -> int:
        """Number of validation pictures; 0 if unknown."""
        return sum(map(sum, self.validation_confusion))

    @property
    def rank(self) -> tuple[float, float]:
        """Orders epochs: the best has the highest accuracy, and the lowest loss of those."""
        return self.validation_accuracy, -(self.validation_loss or 0.0)


@dataclass(frozen=True)
class Part:
    """A line of steps.jsonl: some consecutive batches."""

    moment: float
    """When they ended, in epochs from 0."""
    loss: float
    """Mean over their pictures, in the first process."""
    rate: float
    """Learning rate of the last batch."""


@dataclass(frozen=True)
class Beginning:
    """The start of a run, as stored in beginning.json."""

    pictures: int
    """Number of training pictures."""
    model: str
    """The model that was evaluated, in words: the one that the run starts from, or the built-in one."""
    accuracy: float | None
    """Its validation accuracy before training, 0..1; None if it has none of the data set's labels."""
    n: int
    """Number of validation pictures."""
    kept: tuple[str, ...] = ()
    """Labels whose outputs the last layer keeps."""
    new: tuple[str, ...] = ()
    """Labels whose outputs are initialized randomly."""
    known: int = 0
    """Validation pictures that the model is known to have been trained on, so that its accuracy is too good."""


@dataclass
class Hooks:
    """Callbacks of the training loop."""

    on_read: Callable[[int, int], None] = lambda done, total: None
    """(pictures read, pictures in total)"""
    on_batch: Callable[[int, int, int, int], None] = lambda epoch, done, total, faces: None
    """(epoch from 0, batches done, batches in total, faces in this one)"""
    on_part: Callable[[Part], None] = lambda part: None
    """Called several times per epoch, see `PARTS`."""
    on_epoch: Callable[[EpochMetrics], None] = lambda metrics: None
    """Called with the line written to metrics.jsonl."""
    on_note: Callable[[str], None] = lambda text: None
    """Called with a message for the user."""
    should_stop: Callable[[], bool] = lambda: False
    """Called after each batch; True stops the run, which resumes from the last complete epoch."""
