"""Training runs as processes of their own: started, stopped, resumed, renamed and deleted by way of their folders.

All that is known of a run lies in its folder. So a page may be reloaded, several people may look at once, and the
program that started a run may end, without the run noticing or anybody seeing something else.
"""

import json
import os
import re
import shutil
import sys
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fer.errors import TrainingError
from fer.files import write_atomically
from fer.training.background import ProcessMark, began, end_process, start_process
from fer.training.config import TrainingConfig
from fer.training.runs import FAILED, FINISHED, RUNNING, STOPPED, Run, open_run

STARTING, INTERRUPTED, DAMAGED = "starting", "interrupted", "damaged"
"""States that nobody wrote down: no word yet, gone without a word, and a folder that cannot be understood."""
PARALLEL_VARIABLE = "FER_PARALLEL_RUNS"
"""Environment variable: how many runs may go on at the same time; 1 if it is not set."""
STOP_SECONDS = 20.0
"""A run that was asked to stop does so after its batch. One that takes longer is ended; its last epoch is on disk."""

_changing = threading.Lock()
_NAME = re.compile(r"\w[\w .-]{0,63}")


@dataclass(frozen=True, eq=False)
class RunView:
    """A run as it is on disk at one moment."""

    run: Run
    state: str
    """starting, running, stopped, interrupted, failed, finished or damaged."""
    message: str
    """Why it failed; empty in most states."""
    config: TrainingConfig | None
    """None where it cannot be read."""
    status: dict[str, Any]
    metrics: tuple[dict[str, Any], ...]
    """What is known of each finished epoch."""
    created: float
    """Seconds since 1970."""

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.run.folder.name

    @property
    def active(self) -> bool:
        """Whether its process runs."""
        return self.state in (STARTING, RUNNING)

    @property
    def can_resume(self) -> bool:
        """Whether there is something left to do, and nobody does it."""
        return self.config is not None and self.state in (STOPPED, INTERRUPTED, FAILED)

    @property
    def has_model(self) -> bool:
        """Whether there is a model of the best epoch so far."""
        return self.run.best_path.is_file()

    @property
    def best(self) -> dict[str, Any] | None:
        """The epoch with the highest validation accuracy, the first of them; None before the first has ended."""
        return max(self.metrics, key=lambda line: line["validation_accuracy"], default=None)

    @property
    def validated_by(self) -> str:
        """The rule and the number of pictures that validation accuracies were measured by, in words."""
        rule = self.config.rule if self.config else "not known"
        n = sum(map(sum, self.metrics[-1].get("validation_confusion", []))) if self.metrics else 0
        return f"validation split, rule {rule}, n = {n:,}"

    @property
    def seconds(self) -> float:
        """How long the finished epochs took."""
        return sum(line["seconds"] for line in self.metrics)


def view(run: Run) -> RunView:
    """Read where a run stands. Never fails: what cannot be read is said in `message`."""
    config, status, metrics, message = None, {}, [], ""
    try:
        config, status, metrics = run.config(), run.status(), run.metrics()
    except (TrainingError, OSError, ValueError) as error:
        state, message = DAMAGED, str(error)
    else:
        alive = _is_alive(run, status)
        state, message = status.get("state", STARTING if alive else INTERRUPTED), str(status.get("message", ""))
        if state == RUNNING and not alive:
            state = INTERRUPTED
    try:
        created = run.config_path.stat().st_mtime
    except OSError:
        created = 0.0
    return RunView(run, state, message, config, status, tuple(metrics), created)


def runs(folder: Path) -> list[RunView]:
    """Return all runs in a folder: those that go on first, then the newest."""
    if not folder.is_dir():
        return []
    views = [view(Run(entry)) for entry in folder.iterdir() if (entry / "config.json").is_file()]
    return sorted(views, key=lambda view: (not view.active, -view.created, view.name))


def log_tail(run: Run, lines: int = 12) -> str:
    """Return the last lines of what the run has said."""
    try:
        with run.log_path.open("rb") as file:
            file.seek(max(run.log_path.stat().st_size - 400 * lines, 0))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def start(folder: Path, config: TrainingConfig, name: str, threads: int | None = None) -> Run:
    """Start a training run as a process of its own.

    Args:
        folder: where the runs are kept.
        config: what to train.
        name: a plain name that no other run has.
        threads: of the processor; all but one if not given, which is left to the pages.

    Raises:
        TrainingError: as many runs as allowed go on already, the name is taken or no plain name, or no process can be
            started.
    """
    check_name(name)
    with _changing:
        _check_free(folder)
        run = Run(folder / name)
        if run.folder.exists():
            raise TrainingError(f"expected a new name, but there is a run called {name}. Choose another one.")
        run = open_run(folder, config, name)
        _launch(run, threads)
    return run


def resume(run: Run, threads: int | None = None) -> None:
    """Go on with a run after its last whole epoch.

    Raises:
        TrainingError: it goes on already, has finished or is damaged, or as many runs as allowed go on.
    """
    with _changing:
        seen = view(run)
        if not seen.can_resume:
            raise TrainingError(f"expected a run that was stopped or interrupted, but {seen.name} is {seen.state}.")
        _check_free(run.folder.parent)
        _launch(run, threads)


def stop(run: Run, patience_seconds: float = STOP_SECONDS) -> None:
    """Ask a run to stop, wait until it has, and end it if it does not; it can be resumed after its last whole epoch.

    Raises:
        TrainingError: the process belongs to somebody else.
    """
    mark = _mark(run)
    if (mark is None or not mark.is_alive()) and run.is_running():  # started from a command line
        pid = int(run.status().get("pid", 0))
        mark = ProcessMark(pid, began(pid) or "")
    if mark is None or not mark.is_alive():
        return
    try:
        end_process(mark, patience_seconds)
    except PermissionError as error:
        raise TrainingError(f"the process {mark.pid} of {run.folder.name} belongs to another user: {error}") from error
    if view(run).state not in (STOPPED, FINISHED, FAILED):  # it could not say so itself
        seen = view(run)
        epochs = seen.config.epochs if seen.config else 0
        run.set_status(STOPPED, epoch=len(seen.metrics), epochs=epochs)


def delete(run: Run) -> None:
    """Remove a run with everything in it.

    Raises:
        TrainingError: it goes on, or the system does not let us.
    """
    with _changing:
        _check_still(run)
        try:
            shutil.rmtree(run.folder)
        except OSError as error:  # also where the folder is a link
            raise TrainingError(f"the run {run.folder.name} cannot be deleted: {error}") from error


def rename(run: Run, name: str) -> Run:
    """Give a run another name.

    Raises:
        TrainingError: it goes on, or the name is taken or no plain name.
    """
    check_name(name)
    with _changing:
        _check_still(run)
        renamed = Run(run.folder.with_name(name))
        if renamed.folder.exists():
            raise TrainingError(f"expected a new name, but there is a run called {name}. Choose another one.")
        run.folder.rename(renamed.folder)
    return renamed


def check_name(name: str) -> None:
    """Refuse what is no plain name.

    Raises:
        TrainingError: it says what a name may be.
    """
    if not _NAME.fullmatch(name) or name != name.strip(" ."):
        raise TrainingError(
            f"expected a name of at most 64 letters, digits, spaces, dots, - and _, that begins with a letter or a "
            f"digit, got {name!r}."
        )


def parallel_runs() -> int:
    """Return how many runs may go on at the same time.

    Raises:
        TrainingError: the environment variable is no whole number of 1 or more.
    """
    text = os.environ.get(PARALLEL_VARIABLE) or "1"
    if not text.isdecimal() or int(text) < 1:
        raise TrainingError(f"expected a whole number of 1 or more in {PARALLEL_VARIABLE}, got {text!r}.")
    return int(text)


def spare_threads() -> int:
    """Return how many threads a run gets: all but one of the processor's."""
    return max((os.cpu_count() or 1) - 1, 1)


def _launch(run: Run, threads: int | None) -> None:
    try:
        run.status_path.unlink(missing_ok=True)  # what an earlier process said holds no longer
        command = [sys.executable, "-m", "fer.cli.train", "--resume", str(run.folder)]
        mark = start_process([*command, "--threads", str(threads or spare_threads())], run.log_path)
        write_atomically(_process_path(run), json.dumps(asdict(mark)))
    except OSError as error:
        raise TrainingError(f"the training of {run.folder.name} cannot be started: {error}") from error


def _check_free(folder: Path) -> None:
    active, allowed = [seen.name for seen in runs(folder) if seen.active], parallel_runs()
    if len(active) >= allowed:
        raise TrainingError(
            f"{', '.join(active)} is being trained, and {allowed} at a time is what this machine is set to. Stop it or "
            f"wait until it ends; {PARALLEL_VARIABLE} in the app's environment allows more."
        )


def _check_still(run: Run) -> None:
    if view(run).active:
        raise TrainingError(f"{run.folder.name} is being trained. Stop it first.")


def _process_path(run: Run) -> Path:
    return run.folder / "process.json"


def _mark(run: Run) -> ProcessMark | None:
    try:
        return ProcessMark(**json.loads(_process_path(run).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _is_alive(run: Run, status: dict[str, Any]) -> bool:
    mark = _mark(run)
    if mark and mark.is_alive():
        return True
    # One that was started from a command line. It has its lock when it says so; to look earlier could keep it out.
    return status.get("state") == RUNNING and run.is_running()
