"""What is known of an epoch, and the file of a run that has a line for each."""

from dataclasses import dataclass
from pathlib import Path

from fer.files import write_atomically
from fer.records import from_json, to_json


@dataclass(frozen=True)
class Learned:
    """What one way through the training pictures gave."""

    loss: float
    """Mean over the pictures."""
    accuracy: float
    """0..1"""
    learning_rate: float
    """That of the last step."""
    faces: int


@dataclass(frozen=True)
class EpochMetrics:
    """A line of metrics.jsonl. None, 0 or empty is what runs of earlier versions did not write down."""

    epoch: int
    """From 1."""
    validation_accuracy: float
    """0..1, as all accuracies."""
    train_loss: float | None = None
    train_accuracy: float | None = None
    learning_rate: float | None = None
    faces: int = 0
    """How many were learned from."""
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


def read_metrics(path: Path) -> list[EpochMetrics]:
    """Read the finished epochs, oldest first. A line that is still being written or is damaged is left out."""
    return [line for _, line in _lines(path)]


def append_metrics(path: Path, metrics: EpochMetrics) -> None:
    """Add a finished epoch; what an earlier try at the same or a later epoch wrote is dropped.

    Raises:
        OSError: the disk is full.
    """
    kept = [text for text, line in _lines(path) if line.epoch < metrics.epoch]
    write_atomically(path, "".join([*kept, to_json(metrics, indent=0) + "\n"]))


def _lines(path: Path) -> list[tuple[str, EpochMetrics]]:
    found = []
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    for line in text.splitlines(keepends=True):
        if line.endswith("\n"):
            try:
                found.append((line, from_json(line, EpochMetrics)))
            except ValueError:
                continue
    return found
