"""Run folders: everything about a training run, on disk, so that any process can read it at any time.

config.json          what was asked for (TrainingConfig)
status.json          where it stands, see `fer.jobs.status`, with epoch (from 0), epochs and, at the end, best_epoch;
                     while it trains: batch, batches, faces_per_second
beginning.json       what it begins with, see `fer.training.metrics.Beginning`
steps.jsonl          a line for each part of an epoch, see `fer.training.metrics.Part`
metrics.jsonl        a line for each finished epoch, see `fer.training.metrics`
last.pt              all that is needed to go on after that epoch
best.safetensors     the model of the epoch with the best validation accuracy
pictures.npz         which pictures it has seen, see `fer.evaluation.seen`
best.onnx, best.int8.onnx    the same for ONNX Runtime, see `fer.model.onnx_network`
log.txt              what the trainer said
tensorboard/         curves for TensorBoard, if wanted
process.json, .lock  who trains, see `fer.jobs.job`
"""

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from fer.errors import JobError, TrainingError
from fer.files import file_errors, free_path, read_bytes, write_atomically
from fer.jobs import job
from fer.jobs.job import JobView, Kind
from fer.jobs.status import FINISHED
from fer.names import is_refused_by_windows
from fer.records import from_json, read_record, to_json, write_record
from fer.training.config import TrainingConfig
from fer.training.metrics import Beginning, EpochMetrics, Part

BEST_NAME = "best.safetensors"
PARALLEL_VARIABLE = "FER_PARALLEL_RUNS"
"""Environment variable: how many runs may go on at the same time; 1 if it is not set."""

Line = TypeVar("Line")

_NAME = re.compile(r"""(?![.-])[^\x00-\x1f/\\:*?"<>|]{1,64}(?<![ .])""")


def parallel_runs() -> int:
    """Return how many runs may go on at the same time.

    Raises:
        TrainingError: the environment variable is no whole number of 1 or more.
    """
    text = os.environ.get(PARALLEL_VARIABLE) or "1"
    if not text.isdecimal() or int(text) < 1:
        raise TrainingError(f"expected a whole number of 1 or more in {PARALLEL_VARIABLE}, got {text!r}.")
    return int(text)


def _earlier(folder: Path) -> tuple[TrainingConfig, None] | None:
    """Read a config.json that does not say its kind; everything else in such a folder is as today."""
    path = folder / job.CONFIG_NAME
    return (TrainingConfig(**from_json(read_bytes(path), dict[str, Any])), None) if path.exists() else None


KIND = Kind(
    "training", TrainingConfig, at_once=parallel_runs, earlier=_earlier,
    hint=f"{PARALLEL_VARIABLE} in the app's environment allows more",
)  # fmt: skip


class Run:
    """One run folder."""

    def __init__(self, folder: Path) -> None:
        """Point at a folder; nothing is read or made."""
        self.folder = folder
        self.metrics_path = folder / "metrics.jsonl"
        self.steps_path = folder / "steps.jsonl"
        self.beginning_path = folder / "beginning.json"
        self.last_path = folder / "last.pt"
        self.best_path = folder / BEST_NAME
        self._goes_on = False

    def config(self) -> TrainingConfig:
        """Read what was asked for.

        Raises:
            JobError: the file is missing, damaged or of another version.
        """
        return job.read_request(self.folder, KIND)

    def metrics(self) -> list[EpochMetrics]:
        """Read the finished epochs, oldest first. A line that is still being written or is damaged is left out."""
        return [line for _, line in _lines(self.metrics_path, EpochMetrics)]

    def append_metrics(self, metrics: EpochMetrics) -> None:
        """Add a finished epoch; what an earlier try at the same or a later epoch wrote is dropped.

        Raises:
            OSError: the disk is full.
        """
        kept = [text for text, line in _lines(self.metrics_path, EpochMetrics) if line.epoch < metrics.epoch]
        write_atomically(self.metrics_path, "".join([*kept, to_json(metrics, indent=0) + "\n"]))

    def beginning(self) -> Beginning | None:
        """Read what the run begins with; None where nobody has looked yet, or an earlier version did not."""
        return read_record(self.beginning_path, Beginning)

    def write_beginning(self, beginning: Beginning) -> None:
        """Keep what the run begins with.

        Raises:
            OSError: the disk is full.
        """
        write_record(self.beginning_path, beginning)

    def steps(self) -> list[Part]:
        """Read the parts of the epochs, oldest first; see `metrics`."""
        return [line for _, line in _lines(self.steps_path, Part)]

    def append_step(self, part: Part) -> None:
        """Add a part of an epoch; before the first one, what an earlier try wrote from that moment on is dropped.

        Raises:
            OSError: the disk is full.
        """
        if not self._goes_on:
            kept = [text for text, line in _lines(self.steps_path, Part) if line.moment < part.moment]
            write_atomically(self.steps_path, "".join(kept))
            self._goes_on = True
        with self.steps_path.open("a", encoding="utf-8") as file:
            file.write(to_json(part, indent=0) + "\n")


def _lines(path: Path, kind: type[Line]) -> Iterator[tuple[str, Line]]:
    with contextlib.suppress(OSError):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True):
            with contextlib.suppress(ValueError):
                if line.endswith("\n"):
                    yield line, from_json(line, kind)


@dataclass(frozen=True, eq=False)
class RunView(JobView[TrainingConfig]):
    """A run as it is on disk at one moment."""

    metrics: tuple[EpochMetrics, ...]
    """What is known of each finished epoch."""

    @property
    def best_path(self) -> Path:
        """Where the model of the best epoch is, once there is one."""
        return self.folder / BEST_NAME

    @property
    def has_model(self) -> bool:
        """Whether there is a model of the best epoch so far."""
        return self.best_path.is_file()

    @property
    def beginning(self) -> Beginning | None:
        """What it begins with, where that is known."""
        return Run(self.folder).beginning()

    @property
    def steps(self) -> list[Part]:
        """What is known of the parts of its epochs."""
        return Run(self.folder).steps()

    @property
    def best(self) -> EpochMetrics | None:
        """The epoch with the highest validation accuracy, the first of them; None before the first has ended."""
        return max(self.metrics, key=lambda line: line.validation_accuracy, default=None)

    @property
    def validated_by(self) -> str:
        """The rule and the number of pictures that validation accuracies were measured by, in words."""
        rule = self.request.rule if self.request else "not known"
        return f"validation split, rule {rule}, n = {self.metrics[-1].validation_n if self.metrics else 0:,}"

    @property
    def seconds(self) -> float:
        """How long the finished epochs took."""
        return sum(line.seconds for line in self.metrics)


def view(folder: Path) -> RunView:
    """Read where a run stands. Never fails: what cannot be read is said in `message`."""
    return _with_metrics(job.view(folder, KIND))


def views(runs_folder: Path) -> list[RunView]:
    """Return all runs in a folder: those that go on first, then the newest."""
    return [_with_metrics(seen) for seen in job.views(runs_folder, KIND)]


def _with_metrics(seen: JobView[TrainingConfig]) -> RunView:
    return RunView(**vars(seen), metrics=tuple(Run(seen.folder).metrics()))


def start(runs_folder: Path, config: TrainingConfig, name: str, threads: int | None = None) -> Path:
    """Start a training run as a process of its own, and return its folder.

    Raises:
        TrainingError: it is no plain name.
        JobError: as many runs as allowed go on already, the name is taken, or no process can be started.
    """
    check_name(name)
    others = job.views(runs_folder, KIND)
    job.check_free(KIND, others)
    job.create(runs_folder / name, KIND, config)
    job.start(runs_folder / name, KIND, threads, others)
    return runs_folder / name


def resume(folder: Path, threads: int | None = None) -> None:
    """Go on with a run after its last whole epoch, as a process of its own; see `fer.jobs.job.start`."""
    job.start(folder, KIND, threads, job.views(folder.parent, KIND))


def rename(folder: Path, name: str) -> Path:
    """Give a run another name, and return its new folder.

    Raises:
        TrainingError: the name is no plain one.
        JobError: the run goes on, or the name is taken.
    """
    check_name(name)
    job.check_still(folder, KIND)
    renamed = folder.with_name(name)
    if renamed.exists():
        raise JobError(f"expected a new name, but there is something called {name}. Choose another.")
    with file_errors(f"{folder.name} cannot be renamed", JobError):
        return folder.rename(renamed)


def check_name(name: str) -> None:
    """Raise TrainingError where a name is no plain one."""
    if not _NAME.fullmatch(name) or is_refused_by_windows(name):
        raise TrainingError(
            f"expected a plain name for the run, of at most 64 letters, digits and signs that files may be called by, "
            f"without slashes, that begins with no dot or -, got {name!r}.",
            "name",
        )


def open_run(runs_folder: Path, config: TrainingConfig, name: str | None = None) -> Run:
    """Return the run to go on with, or a new one: the same command again continues what was interrupted.

    Without a name, the data set and the architecture give one, with a number where a finished or different run of that
    name exists.

    Raises:
        TrainingError: the name is taken by a run with another configuration, or is no plain name.
        JobError: the configuration of the run of that name cannot be read.
    """

    def is_other(folder: Path) -> bool:
        seen = job.view(folder, KIND)
        return (folder / job.CONFIG_NAME).exists() and (seen.request != config or seen.state == FINISHED)

    if name is not None:
        check_name(name)
        run = Run(runs_folder / name)
    else:
        run = Run(free_path(runs_folder / default_name(config), is_other))
    if not (run.folder / job.CONFIG_NAME).exists():
        run.folder.mkdir(parents=True, exist_ok=True)
        job.write_request(run.folder, KIND, config)
    elif differences := config.differences(run.config()):
        raise TrainingError(
            f"the run {run.folder.name} exists with another configuration ({'; '.join(differences)}). "
            "Give the same options to continue it, or another --name."
        )
    return run


def default_name(config: TrainingConfig) -> str:
    """Return the name that a run gets of its data sets and its architecture."""
    stems = [Path(path).name.split(".")[0].replace(":", "-") or "data" for path in config.dataset]
    return "-".join([*stems, config.architecture])
