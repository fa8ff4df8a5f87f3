"""Run folders: everything about a training run, on disk, so that any process can read it at any time.

config.json          the settings (TrainingConfig)
status.json          the status, see `fer.jobs.status`, with epoch (from 0), epochs and, at the end, best_epoch;
                     during training also batch, batches, faces_per_second
beginning.json       the start of the run, see `fer.training.metrics.Beginning`
steps.jsonl          a line for each part of an epoch, see `fer.training.metrics.Part`
metrics.jsonl        a line for each finished epoch, see `fer.training.metrics`
last.pt              the state after that epoch, to resume from
best.safetensors     the model of the epoch with the best validation accuracy
pictures.npz         digests of the pictures that it has seen, see `fer.evaluation.seen`
best.onnx, best.int8.onnx    its exports for ONNX Runtime, see `fer.model.onnx_network`
log.txt              the log
tensorboard/         curves for TensorBoard, if requested
process.json, .lock  the process, see `fer.jobs.job`
"""

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
from fer.records import from_json, note_unread, read_record, to_json, write_record
from fer.training.config import TrainingConfig
from fer.training.metrics import Beginning, EpochMetrics, Part

BEST_NAME = "best.safetensors"
PARALLEL_VARIABLE = "FER_PARALLEL_RUNS"
"""Environment variable: how many runs may be active at the same time; 1 by default."""

Line = TypeVar("Line")

_NAME = re.compile(r"""(?![.-])[^\x00-\x1f/\\:*?"<>|]{1,64}(?<![ .])""")


def parallel_runs() -> int:
    """Return how many runs may be active at the same time.

    Raises:
        TrainingError: the environment variable is not a whole number of 1 or more.
    """
    text = os.environ.get(PARALLEL_VARIABLE) or "1"
    if not text.isdecimal() or int(text) < 1:
        raise TrainingError(f"expected a whole number of 1 or more in {PARALLEL_VARIABLE}, got {text!r}.")
    return int(text)


def _earlier(folder: Path) -> tuple[TrainingConfig, None] | None:
    """Read a config.json of an earlier version, which does not name its kind; the folder is otherwise the same."""
    path = folder / job.CONFIG_NAME
    return (TrainingConfig(**from_json(read_bytes(path), dict[str, Any])), None) if path.exists() else None


KIND = Kind(
    "training", TrainingConfig, at_once=parallel_runs, earlier=_earlier, renamed={"second_share": "second_weight"},
    hint=f"{PARALLEL_VARIABLE} in the app's environment allows more",
)  # fmt: skip


class Run:
    """A run folder."""

    def __init__(self, folder: Path) -> None:
        """Refer to a folder, without reading or creating it."""
        self.folder = folder
        self.metrics_path = folder / "metrics.jsonl"
        self.steps_path = folder / "steps.jsonl"
        self.beginning_path = folder / "beginning.json"
        self.last_path = folder / "last.pt"
        self.best_path = folder / BEST_NAME
        self._goes_on = False

    def config(self) -> TrainingConfig:
        """Read the settings.

        Raises:
            JobError: the file is missing, damaged or of another version.
        """
        return job.read_request(self.folder, KIND)

    def metrics(self) -> list[EpochMetrics]:
        """Read the finished epochs, oldest first. Incomplete and damaged lines are skipped."""
        return [line for _, line in _lines(self.metrics_path, EpochMetrics)]

    def append_metrics(self, metrics: EpochMetrics) -> None:
        """Append a finished epoch; lines of an earlier attempt at the same or later epochs are dropped.

        Raises:
            OSError: the disk is full.
        """
        kept = [text for text, line in _lines(self.metrics_path, EpochMetrics) if line.epoch < metrics.epoch]
        write_atomically(self.metrics_path, "".join([*kept, to_json(metrics, indent=0) + "\n"]))

    def beginning(self) -> Beginning | None:
        """Read the start of the run; None if it was not recorded yet, or by an earlier version."""
        return read_record(self.beginning_path, Beginning)

    def write_beginning(self, beginning: Beginning) -> None:
        """Save the start of the run.

        Raises:
            OSError: the disk is full.
        """
        write_record(self.beginning_path, beginning)

    def steps(self) -> list[Part]:
        """Read the parts of the epochs, oldest first; see `metrics`."""
        return [line for _, line in _lines(self.steps_path, Part)]

    def append_step(self, part: Part) -> None:
        """Append a part of an epoch; the first call drops the lines of an earlier attempt from that moment on.

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
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    except OSError as error:
        note_unread(path, error)
        return
    for line in lines:
        if line.endswith("\n"):
            try:
                yield line, from_json(line, kind)
            except ValueError as error:
                note_unread(path, error)


@dataclass(frozen=True, eq=False)
class RunView(JobView[TrainingConfig]):
    """A run as it is on disk at one moment."""

    metrics: tuple[EpochMetrics, ...]
    """The finished epochs."""

    @property
    def best_path(self) -> Path:
        """Path of the best epoch's model, once there is one."""
        return self.folder / BEST_NAME

    @property
    def has_model(self) -> bool:
        """Whether a model has been saved."""
        return self.best_path.is_file()

    @property
    def beginning(self) -> Beginning | None:
        """The start of the run, if known."""
        return Run(self.folder).beginning()

    @property
    def steps(self) -> list[Part]:
        """The finished parts of its epochs."""
        return Run(self.folder).steps()

    @property
    def best(self) -> EpochMetrics | None:
        """The epoch that is kept, see `EpochMetrics.rank`; None before the first epoch ends."""
        return max(self.metrics, key=lambda line: line.rank, default=None)

    @property
    def validated_by(self) -> str:
        """Rule and number of the validation pictures, in words."""
        rule = self.request.rule if self.request else "unknown"
        return f"validation split, rule {rule}, n = {self.metrics[-1].validation_n if self.metrics else 0:,}"

    @property
    def seconds(self) -> float:
        """Duration of the finished epochs."""
        return sum(line.seconds for line in self.metrics)


def view(folder: Path) -> RunView:
    """Read the state of a run. Never fails: problems are in `message`."""
    return _with_metrics(job.view(folder, KIND))


def views(runs_folder: Path) -> list[RunView]:
    """Return all runs in a folder: active ones first, then the newest."""
    return [_with_metrics(seen) for seen in job.views(runs_folder, KIND)]


def _with_metrics(seen: JobView[TrainingConfig]) -> RunView:
    return RunView(**vars(seen), metrics=tuple(Run(seen.folder).metrics()))


def start(runs_folder: Path, config: TrainingConfig, name: str, threads: int | None = None) -> Path:
    """Start a training run in a background process, and return its folder.

    Raises:
        TrainingError: the name is invalid.
        JobError: as many runs as allowed are active, the name is taken, or no process can be started.
    """
    check_name(name)
    others = job.views(runs_folder, KIND)
    job.check_free(KIND, others)
    job.create(runs_folder / name, KIND, config)
    job.start(runs_folder / name, KIND, threads, others)
    return runs_folder / name


def resume(folder: Path, threads: int | None = None) -> None:
    """Resume a run after its last complete epoch, in a background process; see `fer.jobs.job.start`."""
    job.start(folder, KIND, threads, job.views(folder.parent, KIND))


def rename(folder: Path, name: str) -> Path:
    """Rename a run, and return its new folder.

    Raises:
        TrainingError: the name is invalid.
        JobError: the run is active, or the name is taken.
    """
    check_name(name)
    job.check_still(folder, KIND)
    renamed = folder.with_name(name)
    if renamed.exists():
        raise JobError(f"expected a new name, but {name} exists already. Choose another.")
    with file_errors(f"{folder.name} cannot be renamed", JobError):
        return folder.rename(renamed)


def check_name(name: str) -> None:
    """Raise TrainingError if a name is invalid."""
    if not _NAME.fullmatch(name) or is_refused_by_windows(name):
        raise TrainingError(
            "expected a run name of at most 64 characters that are valid in file names, without slashes, and not "
            f"starting with a dot or -, got {name!r}.",
            "name",
        )


def open_run(runs_folder: Path, config: TrainingConfig, name: str | None = None) -> Run:
    """Return the run to resume, or a new one: repeating a command resumes an interrupted run.

    Without a name, the run is named after its data set and architecture, with a number if a finished or different run
    has that name.

    Raises:
        TrainingError: the name is invalid, or taken by a run with another configuration.
        JobError: the configuration of the existing run cannot be read.
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
            "Repeat its options to resume it, or choose another --name."
        )
    return run


def default_name(config: TrainingConfig) -> str:
    """Return the name of a run made from its data sets and architecture."""
    stems = [Path(path).name.split(".")[0].replace(":", "-") or "data" for path in config.dataset]
    return "-".join([*stems, config.architecture])
