"""What is known of an epoch, and how the loop tells it to whoever started it."""

from collections.abc import Callable
from dataclasses import dataclass

PARTS, MOST_PARTS = 20, 600
"""So many parts has an epoch in steps.jsonl, and a run at most, but one for each epoch."""


@dataclass(frozen=True, kw_only=True)
class Learned:
    """What one way through the training pictures gave."""

    train_loss: float | None = None
    """Mean over the pictures."""
    train_accuracy: float | None = None
    learning_rate: float | None = None
    """That of the last step."""
    faces: int = 0
    """How many were learned from."""


@dataclass(frozen=True)
class EpochMetrics(Learned):
    """A line of metrics.jsonl. None, 0 or empty is what runs of earlier versions did not write down."""

    epoch: int
    """From 1."""
    validation_accuracy: float
    """0..1, as all accuracies."""
    validation_loss: float | None = None
    validation_macro_f1: float | None = None
    validation_confusion: tuple[tuple[int, ...], ...] = ()
    """Counts (K, K): rows are the truth, columns the answers."""
    size_px: int = 0
    """Width and height of the faces."""
    seconds: float = 0.0

    @property
    def validation_n(self) -> int:
        """How many pictures it was validated with; 0 if that is not known."""
        return sum(map(sum, self.validation_confusion))


@dataclass(frozen=True)
class Part:
    """A line of steps.jsonl: some batches, one after the other."""

    moment: float
    """When they ended, in epochs from 0."""
    loss: float
    """Mean over their pictures, of the first process."""
    rate: float
    """The learning rate of the last one."""


@dataclass(frozen=True)
class Beginning:
    """What a run begins with, as beginning.json keeps it."""

    pictures: int
    """To train on."""
    model: str
    """Whose accuracy it is: that of the run or the file that the run goes on from, else the shipped model, in words."""
    accuracy: float | None
    """How often that names the validation pictures right as it is, 0..1; None where it knows no label of theirs."""
    n: int
    """How many validation pictures there are."""
    kept: tuple[str, ...] = ()
    """The labels that the last layer knows already."""
    new: tuple[str, ...] = ()
    """Those that it begins with by chance."""
    known: int = 0
    """On how many of the validation pictures that model was trained, as far as is known: its accuracy flatters it."""


@dataclass
class Hooks:
    """What the loop tells whoever started it, and asks."""

    on_read: Callable[[int, int], None] = lambda done, total: None
    """(pictures read, pictures in all)"""
    on_batch: Callable[[int, int, int, int], None] = lambda epoch, done, total, faces: None
    """(epoch from 0, batches done, batches in all, faces in this one)"""
    on_part: Callable[[Part], None] = lambda part: None
    """Told some times an epoch, see `PARTS`."""
    on_epoch: Callable[[EpochMetrics], None] = lambda metrics: None
    """The line that went to metrics.jsonl."""
    on_note: Callable[[str], None] = lambda text: None
    """Something a person should know."""
    should_stop: Callable[[], bool] = lambda: False
    """Asked after each batch; True ends the run, which resumes from the last whole epoch."""
