"""Run folders: everything about a training run, on disk, so that any process can read it at any time.

config.json          what was asked for (TrainingConfig)
status.json          where it stands: state, epoch, epochs, message; and the process that runs it. While it trains, once
                     a second: batch, batches, faces_per_second, seconds_left
metrics.jsonl        a line for each finished epoch: losses, accuracies, validation_confusion (rows are truth), …
last.pt              all that is needed to go on after that epoch
best.safetensors     the model of the epoch with the best validation accuracy
log.txt              what the trainer said
tensorboard/         curves for TensorBoard, if wanted
.lock                held by the process that trains, see `fer.training.lock`
"""

import json
import os
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from fer.errors import TrainingError
from fer.files import write_atomically
from fer.training.config import TrainingConfig
from fer.training.lock import is_locked

RUNNING, STOPPED, FINISHED, FAILED = "running", "stopped", "finished", "failed"
BEST_NAME = "best.safetensors"


class Run:
    """One run folder."""

    def __init__(self, folder: Path) -> None:
        """Point at a folder; nothing is read or made."""
        self.folder = folder
        self.config_path = folder / "config.json"
        self.status_path = folder / "status.json"
        self.metrics_path = folder / "metrics.jsonl"
        self.last_path = folder / "last.pt"
        self.best_path = folder / BEST_NAME
        self.log_path = folder / "log.txt"

    def config(self) -> TrainingConfig:
        """Read what was asked for.

        Raises:
            TrainingError: the file is missing, damaged or of another version.
        """
        try:
            return TrainingConfig(**json.loads(self.config_path.read_text()))
        except (OSError, ValueError, TypeError) as error:
            raise TrainingError(f"expected the configuration of a run in {self.config_path}: {error}") from error

    def status(self) -> dict[str, Any]:
        """Read where the run stands; an empty dict if it has not said so yet."""
        try:
            status: dict[str, Any] = json.loads(self.status_path.read_text())
        except FileNotFoundError:
            return {}
        return status

    def is_running(self) -> bool:
        """Whether a living process trains here, whatever status.json says."""
        return is_locked(self.folder)

    def set_status(self, state: str, **details: Any) -> None:
        """Say where the run stands."""
        status = {"state": state, "pid": os.getpid(), "time": datetime.now(timezone.utc).isoformat(), **details}
        # Not forced to the disk: that takes long, and a second later it is out of date.
        write_atomically(self.status_path, json.dumps(status, indent=1), durable=state != RUNNING)

    def metrics(self) -> list[dict[str, Any]]:
        """Read the finished epochs, oldest first. A line that is still being written is left out."""
        try:
            text = self.metrics_path.read_text()
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def append_metrics(self, epoch_metrics: dict[str, Any]) -> None:
        """Add a finished epoch; what an earlier try at the same or a later epoch wrote is dropped."""
        kept = [line for line in self.metrics() if line["epoch"] < epoch_metrics["epoch"]]
        write_atomically(self.metrics_path, "".join(json.dumps(line) + "\n" for line in [*kept, epoch_metrics]))


def open_run(runs_folder: Path, config: TrainingConfig, name: str | None = None) -> Run:
    """Return the run to go on with, or a new one: the same command again continues what was interrupted.

    Args:
        runs_folder: where the runs are kept.
        config: what is asked for now.
        name: the run's name. Without it, the data set and the architecture give one, with a number where a finished or
            different run of that name exists.

    Raises:
        TrainingError: the name is taken by a run with another configuration, or is no plain name.
    """
    if name is None:
        base, number = default_name(config), 1
        name = base
        while (run := Run(runs_folder / name)).config_path.exists():
            if run.status().get("state") != FINISHED and run.config() == config:
                return run
            number += 1
            name = f"{base}-{number}"
    run = Run(runs_folder / plain_name(name))
    if run.config_path.exists():
        differences = config.differences(run.config())
        if differences:
            raise TrainingError(
                f"the run {name} exists with another configuration ({'; '.join(differences)}). "
                "Give the same options to continue it, or another --name."
            )
        return run
    run.folder.mkdir(parents=True, exist_ok=True)
    write_atomically(run.config_path, json.dumps(asdict(config), indent=1))
    return run


def plain_name(name: str) -> str:
    """Return the name, if it is one.

    Raises:
        TrainingError: it would lead to another folder.
    """
    if name in ("", ".", "..") or Path(name).name != name:
        raise TrainingError(f"expected a plain name for the run, without slashes, got {name!r}.")
    return name


def default_name(config: TrainingConfig) -> str:
    """Return the name that a run gets of its data sets and its architecture."""
    stems = [Path(path).name.split(".")[0].replace(":", "-") or "data" for path in config.dataset]
    return "-".join([*stems, config.architecture])
