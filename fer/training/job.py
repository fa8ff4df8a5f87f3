"""Training as a job: reports the loop's progress as a status, a log and curves."""

import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from fer.errors import CheckpointError, PackageMissingError, TrainingError
from fer.jobs.job import Stop
from fer.jobs.status import FINISHED, STOPPED, Reporter
from fer.model import DEFAULT_CHECKPOINT, SHIPPED
from fer.training.config import TrainingConfig
from fer.training.metrics import Beginning, EpochMetrics, Hooks
from fer.training.recipe import initial_model, kept_labels
from fer.training.runs import BEST_NAME, KIND, Run

if TYPE_CHECKING:
    import numpy as np

    from fer.datasets.dataset import FaceDataset, PreparedFaces
    from fer.model.classifier import Classifier
    from fer.training.distributed import Processes

__all__ = ["KIND", "curves", "run"]

MOST_LOST_IN_8_BITS = 0.003
"""Validation accuracy, 0..1, that webcam and video may lose by the model's 8-bit export."""


def run(
    folder: Path, request: TrainingConfig, reporter: Reporter, stop: Stop, threads: int | None = None, *,
    dataset: "FaceDataset | None" = None, device: str | None = None, processes: "Processes | None" = None,
    on_epoch: Callable[[EpochMetrics], None] | None = None,
) -> None:  # fmt: skip
    """Train, or resume after the last complete epoch, in this process; see `fer.training.loop.train` for its errors.

    The caller may pass the opened data set, without other folds. Only the first process's reporter writes anything.
    """
    import torch

    from fer.datasets import open_datasets
    from fer.datasets.report import label_warnings, notes_on
    from fer.datasets.splits import folds
    from fer.evaluation.crops import warn_of_whole_photos
    from fer.model.device import choose_device
    from fer.training.loop import check_trainable, train

    if dataset is None:
        dataset = open_datasets(request.dataset)
        if request.folds:
            dataset = folds(dataset, request.folds)[request.fold - 1]
    if threads:
        torch.set_num_threads(threads)
    device = device or choose_device(None)
    kept = Run(folder)
    reporter.note(f"run {folder}: {dataset.name}, {len(dataset)} pictures, on {device}")
    for text in (*notes_on(dataset), *label_warnings(dataset.labels)):
        reporter.note(text)
    told = _Told(request, reporter, stop)

    def end_epoch(line: EpochMetrics) -> None:
        told.epoch(line)
        if on_epoch:
            on_epoch(line)

    is_first = processes is None or processes.is_first
    hooks = Hooks(told.read, told.batch, on_epoch=end_epoch, on_note=reporter.note, should_stop=lambda: stop.asked)
    if is_first:
        hooks.on_part = kept.append_step
        if kept.beginning() is None:
            for text in warn_of_whole_photos(dataset):
                reporter.note(text)
            check_trainable(request, dataset, processes)
            kept.write_beginning(_beginning(request, dataset, reporter, threads))
    info = train(request, dataset, kept, hooks, device, processes)
    if kept.best_path.is_file() and is_first:
        _export(kept, dataset, request.rule, reporter, threads)
    if info is None:
        reporter.set(STOPPED)
        return
    best = info.training
    figures = {"epoch": kept.metrics()[-1].epoch, "epochs": request.epochs, "best_epoch": best["best_epoch"]}
    reporter.set(FINISHED, figures=figures)
    reporter.note(
        f"done: validation accuracy {best['validation_accuracy']:.4f} (rule {best['rule']}, "
        f"n = {best['validation_n']:,}) in epoch {best['best_epoch']}; the model is {kept.best_path}"
    )


def curves(folder: Path) -> Callable[[EpochMetrics], None]:
    """Return a function that adds an epoch's numbers to TensorBoard curves, in the run's folder `tensorboard`.

    Raises:
        TrainingError: the package tensorboard is missing.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise TrainingError(
            f"expected the package tensorboard ({error}). Install it: pip install tensorboard"
        ) from error

    writer: SummaryWriter | None = None

    def write(line: EpochMetrics) -> None:
        nonlocal writer
        # Later epochs of an interrupted attempt are dropped.
        writer = writer or SummaryWriter(str(folder / "tensorboard"), purge_step=line.epoch)
        for name, value in asdict(line).items():
            if name != "epoch" and isinstance(value, (int, float)):
                writer.add_scalar(name, value, line.epoch)
        writer.flush()

    return write


def _export(run: Run, dataset: "FaceDataset", rule: str, reporter: Reporter, threads: int | None) -> None:
    """Export the best model for ONNX Runtime, or note why it stays with torch.

    The 8-bit export is deleted if it is less accurate on the validation pictures, see `MOST_LOST_IN_8_BITS`.
    """
    from fer.datasets.dataset import prepare_faces, some_faces
    from fer.model.checkpoint import read_info
    from fer.model.classifier import Classifier

    preprocessing = read_info(run.best_path).preprocessing
    try:
        from fer.model.export import CALIBRATION_FACES, write_exports

        reporter.say("exporting the model", 0, 0)
        written = write_exports(run.best_path, some_faces(dataset, preprocessing, CALIBRATION_FACES))
    except ModuleNotFoundError as error:
        reporter.note(f"the model is not exported for ONNX Runtime: {PackageMissingError.from_import(error)}")
        return
    except CheckpointError as error:
        reporter.note(f"an export for ONNX Runtime is missing: {error}")
        return
    faces = prepare_faces(dataset, dataset.rows("validation", rule), preprocessing)
    whole = Classifier.load(run.best_path, threads=threads)
    right, right_in_8_bits = (_right(model, dataset, faces) for model in (whole, whole.reduced()))
    lost = right.sum() - right_in_8_bits.sum()
    if lost > max(MOST_LOST_IN_8_BITS * len(right), 1):  # a single picture says nothing
        written.pop().unlink()
        reporter.note(
            f"the 8-bit export is deleted: its validation accuracy is {right_in_8_bits.mean():.4f}, that in float32 "
            f"{right.mean():.4f} (n = {len(right):,}); up to {100 * MOST_LOST_IN_8_BITS:g} points less are accepted"
        )
    for path in written:
        reporter.note(f"exported for ONNX Runtime: {path.name}")


def _right(model: "Classifier", dataset: "FaceDataset", faces: "PreparedFaces") -> "np.ndarray":
    """Return for each face whether the model names its label, bool (n,)."""
    import numpy as np

    truth = np.array(dataset.labels)[dataset.truth(faces.rows)]
    right: np.ndarray = np.array(model.info.labels)[model.distributions(faces.pixels).argmax(axis=1)] == truth
    return right


def _beginning(config: TrainingConfig, dataset: "FaceDataset", reporter: Reporter, threads: int | None) -> Beginning:
    """Evaluate the model that the run starts from, or the built-in one, on the validation pictures."""
    from fer.datasets.dataset import prepare_faces
    from fer.evaluation.seen import seen_among
    from fer.model.checkpoint import weights_file
    from fer.model.classifier import Classifier

    begun_with = initial_model(config)
    file = Path(config.init) if begun_with else DEFAULT_CHECKPOINT
    reporter.say(f"evaluating {file.name} before training", 0, 0)
    model = Classifier.load(file, threads=threads)
    faces = prepare_faces(dataset, dataset.rows("validation", config.rule), model.info.preprocessing)
    count, accuracy = len(faces.rows), None
    if {dataset.labels[truth] for truth in dataset.truth(faces.rows)} & {*model.info.labels}:
        accuracy = float(_right(model, dataset, faces).mean())
        reporter.note(f"{file.name} before training: validation accuracy {accuracy:.4f} ({config.rule}, n = {count:,})")
    training = len(dataset.rows("train", "argmax"))
    name = "the built-in model" if file in SHIPPED.values() else "/".join(file.parts[-2:]).removesuffix(f"/{BEST_NAME}")
    seen = seen_among(weights_file(file), faces.digests)
    if seen and seen.trained:
        reporter.note(f"{file.name} was trained on {seen.trained:,} of these {count:,} pictures")
    kept, new = kept_labels(begun_with, dataset.labels)
    return Beginning(training, name, accuracy, count, kept, new, seen.trained if seen else 0)


class _Told:
    """Passes the loop's progress on to a reporter."""

    def __init__(
        self, config: TrainingConfig, reporter: Reporter, stop: Stop, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._config, self._reporter, self._stop, self._clock = config, reporter, stop, clock
        # The time of an epoch is proportional to the area of its pictures.
        self._areas = [config.size_at(epoch) ** 2 for epoch in range(config.epochs)]
        self._began, self._faces = 0.0, 0

    def read(self, done: int, total: int) -> None:
        """Report the number of pictures read."""
        self._reporter.say("reading pictures", done, total)

    def batch(self, epoch: int, done: int, total: int, faces: int) -> None:
        """Report the finished batches of an epoch, from 0."""
        self._stop.gently = True  # from here on there is something to finish
        self._faces += faces
        if not self._began:  # the first batch includes start-up
            self._began, self._faces = self._clock(), 0
        speed = self._faces / (self._clock() - self._began or 1.0)
        epochs = self._config.epochs
        self._reporter.say(
            f"epoch {epoch + 1} of {epochs} · batch {done} of {total} · {speed:,.0f} faces / s",
            sum(self._areas[:epoch]) * total + self._areas[epoch] * done,
            sum(self._areas) * total,
            {
                "epoch": epoch, "epochs": epochs, "batch": done, "batches": total, "faces_per_second": round(speed, 1),
            },
        )  # fmt: skip

    def epoch(self, line: EpochMetrics) -> None:
        """Log a finished epoch."""
        self._reporter.note(
            f"epoch {line.epoch}/{self._config.epochs}  training: loss {line.train_loss:.4f} accuracy "
            f"{line.train_accuracy:.4f}  validation ({self._config.rule}, n = {line.validation_n:,}): loss "
            f"{line.validation_loss:.4f} accuracy {line.validation_accuracy:.4f} macro F1 "
            f"{line.validation_macro_f1:.4f}  {line.size_px} px  {line.seconds:.0f} s"
        )
