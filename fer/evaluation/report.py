"""The report of an evaluation, as a file with everything needed to reproduce its figures.

`read_report` takes milliseconds and imports neither torch nor scikit-learn, so pages can use it when they open.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from fer.errors import EvaluationError, problem_of
from fer.evaluation.figures import (
    Agreement,
    ClassCurves,
    ClassFigures,
    Estimate,
    Reliability,
    Robustness,
    Speed,
)
from fer.evaluation.predictions import Predictions, read_predictions
from fer.evaluation.seen import Seen
from fer.files import file_errors, read_bytes, write_atomically
from fer.model.prior import BETWEEN, EVERYDAY, LABEL, RATERS, Reading
from fer.records import from_json, from_plain, plain_of, to_plain

FORMAT = "fer-report-2"
T = TypeVar("T")
RULE_MEANINGS = {
    "majority": "more than half of the raters agree",
    "argmax": "all with a top label",
}
"""For pictures with several raters; otherwise all pictures count, with their one label."""


@dataclass(frozen=True)
class Request:
    """What to evaluate."""

    dataset: str
    """A path, or "synthetic:400"."""
    checkpoint: str
    split: str = "test"
    rule: str = "majority"
    robustness: bool = False
    sample: int | None = None
    """Number of pictures to degrade; None for all."""
    faces: str = EVERYDAY
    """How the model is read, one of `READINGS`."""
    detect: bool = False
    """Whether to detect the faces first, in whole photos."""
    runtime: str = "auto"
    """One of `fer.model.classifier.RUNTIMES`."""
    reduced: bool = False
    """Whether to use reduced precision, as for video; see `Classifier.reduced`."""
    device: str = "cpu"
    """Where to compute: "cpu", "cuda", "cuda:1", "mps"."""

    def command(self) -> list[str]:
        """Return the command of the same evaluation."""
        options = {"dataset": self.dataset, "checkpoint": self.checkpoint, "split": self.split, "rule": self.rule}
        given = ["fer-studio", "evaluate", *(part for name, value in options.items() for part in (f"--{name}", value))]
        if self.faces != EVERYDAY:
            given += ["--faces", self.faces]
        if self.runtime != "auto":
            given += ["--runtime", self.runtime]
        if self.reduced:
            given += ["--reduced"]
        if self.device != "cpu":
            given += ["--device", self.device]
        if self.detect:
            given += ["--detect"]
        if self.robustness:
            given += ["--robustness", *(["--sample", str(self.sample)] if self.sample else [])]
        return given


@dataclass(frozen=True)
class DataSource:
    """The data of an evaluation."""

    name: str
    fingerprint: str
    """See `FaceDataset.fingerprint`."""
    split: str
    rule: str
    """Which pictures count; see `FaceDataset.rows`."""
    is_rated: bool
    """Whether several people rated each picture."""
    detected: bool
    """Whether faces were detected in whole photos, instead of given as crops."""
    unknown_labels: dict[str, int]
    """Labels that the model lacks → number of pictures left out for it."""
    broken: tuple[str, ...]
    """Errors of the pictures that could not be read."""
    no_face: int
    """Number of photos without a face."""
    notes: tuple[str, ...] = ()
    """Notes on the data set, and why figures may be too good; see `fer.datasets.report.notes_on`."""
    seen: Seen | None = None
    """How many of these pictures the model has seen in training; None if unknown."""

    def rule_and_n(self, n: int) -> str:
        """Return the rule and n in words, to accompany every accuracy."""
        meaning = RULE_MEANINGS[self.rule] if self.is_rated else "one label a picture"
        return f"rule {self.rule} ({meaning}), n = {n:,}"


@dataclass(frozen=True)
class ModelSource:
    """The model of an evaluation."""

    file: str
    sha256: str
    architecture: str
    size_px: int
    labels: tuple[str, ...]
    multilabel: bool
    """If so, the figures are of its probabilities divided by their sum."""
    training: dict[str, Any]
    """The training record in the model file."""
    faces: str = EVERYDAY
    """How its outputs were read, one of `READINGS`."""
    reading: Reading | None = None
    """The settings of that; None in earlier reports."""

    @property
    def read_as(self) -> str:
        """The kind of faces or the head that its outputs were read for, in words."""
        heads = {RATERS: "its raters' head alone", LABEL: "its label's head alone"}
        whose = "faces in between" if self.faces == BETWEEN else f"{self.faces} faces"
        return heads.get(self.faces, f"read for {whose}")

    @property
    def read(self) -> str:
        """The same with its settings."""
        found = self.reading or Reading()
        share = f", β {found.second_share:g}" if found.second_share else ""
        return f"{self.read_as} (τ {found.prior_correction:g}{share})"


@dataclass(frozen=True)
class Making:
    """How the report was made."""

    command: str
    time: str
    """ISO 8601, UTC."""
    versions: dict[str, str]
    resamples: int
    """Number of resamples of the bootstrap intervals."""
    seed: int
    runtime: str = "torch, float32"
    """Runtime and precision; all earlier reports used torch."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """The figures of one model on one split of a data set, without test-time augmentation; rates are 0..1."""

    format: str = FORMAT
    data: DataSource
    model: ModelSource
    made: Making
    predictions: str
    """Name of the predictions file beside the report."""
    n: int
    accuracy: Estimate
    balanced_accuracy: Estimate
    """Mean recall of the labels that occur in the truth, as are the other means."""
    macro_precision: Estimate
    macro_f1: Estimate
    top_two_accuracy: Estimate
    per_class: dict[str, ClassFigures]
    confusion: tuple[tuple[int, ...], ...]
    """Rows are truth, columns prediction."""
    curves: dict[str, ClassCurves]
    before: Reliability
    """Calibration of the network as trained, at temperature 1."""
    calibration: Reliability
    """Calibration with the temperature fitted on validation pictures."""
    agreement: Agreement | None
    """None if no picture has two raters."""
    robustness: Robustness | None
    """None if it was not requested."""
    speed: Speed

    @property
    def labels(self) -> tuple[str, ...]:
        """The model's labels, in the order of the confusion matrix."""
        return self.model.labels

    @property
    def basis(self) -> str:
        """Data, split, rule and n, in words."""
        return f"{self.data.name}, {self.data.split} split, {self.data.rule_and_n(self.n)}"

    @property
    def knew(self) -> tuple[str, int] | None:
        """Return how the model saw these pictures in training, "trained on" or "chosen by", and how many of them.

        If the report does not store it, it follows from the split, for a model trained on this very data set.
        """
        seen = self.data.seen
        if seen is None:
            own = self.model.training.get("dataset_sha256") == self.data.fingerprint
            both = Seen(self.n, 0) if self.data.split in ("train", "all") else Seen(0, self.n)
            seen = both if own and self.data.split != "test" else Seen(0, 0)
        if seen.trained:
            return "trained on", seen.trained
        return ("chosen by", seen.chosen) if seen.chosen else None

    @property
    def mean_roc_area(self) -> float | None:
        """Mean area below the ROC curves that exist."""
        return _mean([one.roc.area for one in self.curves.values()])

    @property
    def mean_average_precision(self) -> float | None:
        """Mean area below the precision–recall curves that exist."""
        return _mean([one.precision_recall.area for one in self.curves.values()])


def write_report(path: Path, report: Report, predictions: Predictions) -> None:
    """Write a report and, beside it, the predictions under the name in the report; the folder is created.

    Raises:
        EvaluationError: one of them cannot be written.
    """
    with file_errors(f"the report cannot be written to {path}", EvaluationError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path.with_name(report.predictions), predictions.to_csv())
        write_atomically(path, to_json(report))


def predictions_name(path: Path) -> str:
    """Return the name of the predictions file beside a report: report.json → report.predictions.csv."""
    return path.with_suffix(".predictions.csv").name


def to_json(report: Report) -> str:
    """Return the JSON text, with a line for each part."""
    lines = (
        f"{json.dumps(name)}: {json.dumps(part, allow_nan=False, ensure_ascii=False)}"
        for name, part in to_plain(report).items()
    )
    return "{\n" + ",\n".join(lines) + "\n}\n"


def read_report(path: Path) -> Report:
    """Read a report.

    Raises:
        EvaluationError: the file is missing, damaged, or of another version.
    """
    with file_errors(f"expected a report of `fer-studio evaluate` in {path}", EvaluationError):
        return _read_report(path)


def _read_report(path: Path) -> Report:
    try:
        parts = plain_of(read_bytes(path))
        found = parts.get("format", "fer-report-1") if isinstance(parts, dict) else None
        if found != FORMAT:
            raise EvaluationError(
                f"expected a report of format {FORMAT}, but {path} has format {found}. Evaluate the model again."
            )
        report = from_plain(parts, Report, exact=True)
        confusion, labels = np.array(report.confusion), report.labels
        if confusion.shape != (len(labels),) * 2 or confusion.sum() != report.n or confusion.min(initial=0) < 0:
            raise ValueError("the confusion matrix does not fit the labels or n")
        if not set(report.per_class) == set(report.curves) == set(labels):
            raise ValueError("the figures of each label do not fit the labels")
        if report.data.rule not in RULE_MEANINGS:
            raise ValueError(f"the rule is {report.data.rule!r}")
    except ValueError as error:
        raise EvaluationError(f"the report {path} is damaged: {error}. Evaluate the model again.") from error
    return report


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A report and its predictions."""

    report: Report
    predictions: Predictions


def read_evaluation(path: Path) -> Evaluation:
    """Read a report and the predictions beside it.

    Raises:
        EvaluationError: one of them is missing or damaged, or they do not belong together.
    """
    report = read_report(path)
    beside = path.with_name(Path(report.predictions).name)
    predictions = read_predictions(beside)
    if predictions.labels != report.labels or not np.array_equal(predictions.confusion, report.confusion):
        raise EvaluationError(
            f"expected the predictions of {path} in {beside}, found others. Evaluate the model again."
        )
    return Evaluation(report, predictions)


@dataclass(frozen=True)
class Ingredient:
    """A row of an `Ablation`: means over the seeds; rates are 0..1."""

    name: str
    command: str
    """For the first seed."""
    seeds: tuple[int, ...]
    accuracy: float
    macro_f1: float
    worse_pictures: float
    """Mean accuracy over all degradations, on `Ablation.sample` pictures."""


@dataclass(frozen=True)
class Ablation:
    """The contribution of each ingredient of a recipe; measured by scripts/ablation.py."""

    basis: str
    """Data, split, rule and n, in words."""
    recipe: str
    """What the rows change, as options of `fer-studio train`."""
    sample: int
    """Number of these pictures, degraded in all ways of `fer.evaluation.robustness`."""
    rows: tuple[Ingredient, ...]
    about: str = ""
    """What the rows have in common, in words."""


@dataclass(frozen=True)
class FineTuned:
    """A row of `FewPictures`; rates are 0..1, one per seed."""

    model: str
    """The name of the file that was fine-tuned."""
    seeds: tuple[int, ...]
    accuracies: tuple[float, ...]
    macro_f1s: tuple[float, ...]


@dataclass(frozen=True)
class FewPictures:
    """How good models are after fine-tuning on few pictures; measured by scripts/finetuning.py."""

    basis: str
    """Data, training pictures, split, rule and n, in words."""
    command: str
    rows: tuple[FineTuned, ...]

    @property
    def better(self) -> int | None:
        """With how many seeds the last model is more accurate than the first; None for a single model."""
        first, last = self.rows[0].accuracies, self.rows[-1].accuracies
        return sum(one > other for one, other in zip(last, first, strict=True)) if len(self.rows) > 1 else None


def read_table(path: Path, kind: type[T]) -> T:
    """Read a table for the model card: `Ablation`, `FewPictures`, `fer.evaluation.settings.Settings`.

    Raises:
        EvaluationError: the file is missing or damaged.
    """
    try:
        return from_json(read_bytes(path), kind)
    except (OSError, ValueError) as error:
        found = problem_of(error) if isinstance(error, OSError) else f"{error}."
        raise EvaluationError(
            f"expected a table of {kind.__name__.lower()}, but cannot read {path}: {found} Measure it again."
        ) from error


def _mean(values: list[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return sum(there) / len(there) if there else None
