"""Evaluations of models as processes of their own, and the reports that they leave.

runs/NAME/reports/TITLE/    what was measured of a run's model; runs/.shipped/reports/TITLE/ of the shipped one's
    request.json            what is asked for, and the process that does it
    progress.json           how far it is
    log.txt                 what it said
    report.json, report.predictions.csv
"""

import json
import re
import shutil
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fer.errors import EvaluationError
from fer.files import write_atomically
from fer.training.background import ProcessMark, end_process, last_words, read_record, start_process
from fer.training.launch import spare_threads

RUNNING, FINISHED, FAILED = "running", "finished", "failed"
SHIPPED_FOLDER = ".shipped"
"""Stands where a run's folder does. No run can be called so."""
GONE = "it was ended, or the machine was switched off."
REPORT_NAME = "report.json"
STOP_SECONDS = 10.0

_starting = threading.Lock()


@dataclass(frozen=True)
class Request:
    """What shall be measured."""

    dataset: str
    """A path, or "synthetic:400"."""
    checkpoint: str
    split: str = "test"
    rule: str = "majority"
    robustness: bool = False
    sample: int | None = None
    """Make only so many pictures worse."""


@dataclass(frozen=True, eq=False)
class EvaluationView:
    """An evaluation as it is on disk at one moment."""

    folder: Path
    state: str
    """running, finished or failed."""
    request: Request | None
    """None where it was started from a command line."""
    progress: dict[str, Any]
    """what, done and total; empty before it has said so."""
    message: str
    """Why it failed."""

    @property
    def run(self) -> str | None:
        """The name of the run that the model is of; None for the shipped one."""
        name = self.folder.parents[1].name
        return None if name == SHIPPED_FOLDER else name

    @property
    def report_path(self) -> Path:
        """Where the report is, once it has finished."""
        return self.folder / REPORT_NAME


def evaluations(runs_folder: Path) -> list[EvaluationView]:
    """Return all evaluations of all runs, the newest first."""
    folders = [path for path in runs_folder.glob("*/reports/*") if path.is_dir()]
    return sorted(map(view, folders), key=lambda seen: seen.folder.stat().st_ctime_ns, reverse=True)


def view(folder: Path) -> EvaluationView:
    """Read where an evaluation stands."""
    wanted = read_record(folder / "request.json")
    request, alive = None, False
    if wanted:
        request, alive = Request(**wanted["request"]), ProcessMark(**wanted["process"]).is_alive()
    state = RUNNING if alive else FINISHED if (folder / REPORT_NAME).is_file() else FAILED
    message = (last_words(folder / "log.txt") or GONE) if state == FAILED else ""
    return EvaluationView(folder, state, request, read_record(folder / "progress.json"), message)


def start(
    runs_folder: Path, requests: Sequence[tuple[str | None, Request]], title: str, threads: int | None = None
) -> list[Path]:
    """Start evaluations of one model or several, each as a process of its own, all at once.

    Args:
        runs_folder: where the runs are kept.
        requests: the name of the run that the model is of, or None for a shipped one, and what to measure.
        title: what the data set is called; a number is added where there is one of that name.
        threads: of the processor, for all of them; all but one if not given, which is left to the pages.

    Returns:
        The evaluations' folders.

    Raises:
        EvaluationError: others go on, or no process can be started.
    """
    with _starting:
        active = [seen.folder.name for seen in evaluations(runs_folder) if seen.state == RUNNING]
        if active:
            raise EvaluationError(f"expected no other evaluation, but {active[0]} goes on. Stop it, or wait for it.")
        share = max((threads or spare_threads()) // max(len(requests), 1), 1)
        return [_start(runs_folder, run, request, title, share) for run, request in requests]


def _start(runs_folder: Path, run: str | None, request: Request, title: str, threads: int) -> Path:
    reports = runs_folder / (run or SHIPPED_FOLDER) / "reports"
    model = "" if run else f"{Path(request.checkpoint).stem}-"  # several models are shipped
    folder = _free(reports, f"{model}{title}-{request.split}-{request.rule}")
    try:
        folder.mkdir(parents=True)
        mark = start_process(_command(request, folder, threads), folder / "log.txt")
        wanted = {"request": asdict(request), "process": asdict(mark)}
        write_atomically(folder / "request.json", json.dumps(wanted, indent=1))
    except OSError as error:
        raise EvaluationError(f"the evaluation cannot be started: {error}") from error
    return folder


def stop(folder: Path) -> None:
    """End an evaluation that goes on; nothing of it stays.

    Raises:
        EvaluationError: the process belongs to somebody else.
    """
    wanted = read_record(folder / "request.json")
    try:
        if wanted:
            end_process(ProcessMark(**wanted["process"]), STOP_SECONDS)
    except PermissionError as error:
        raise EvaluationError(f"the evaluation {folder.name} belongs to another user: {error}") from error
    delete(folder)


def delete(folder: Path) -> None:
    """Remove an evaluation with its report.

    Raises:
        EvaluationError: it goes on, or the system does not let us.
    """
    if view(folder).state == RUNNING:
        raise EvaluationError(f"expected an evaluation that has ended, but {folder.name} goes on. Stop it first.")
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise EvaluationError(f"the evaluation {folder.name} cannot be deleted: {error}") from error


def _command(request: Request, folder: Path, threads: int) -> list[str | Path]:
    command: list[str | Path] = [
        sys.executable, "-m", "fer.cli.evaluate", "--dataset", request.dataset, "--checkpoint", request.checkpoint,
        "--split", request.split, "--rule", request.rule, "--threads", str(threads),
        "--output", folder / REPORT_NAME, "--progress", folder / "progress.json",
    ]  # fmt: skip
    if request.robustness:
        command.append("--robustness")
    if request.robustness and request.sample:
        command += ["--sample", str(request.sample)]
    return command


def _free(reports: Path, title: str) -> Path:
    title = re.sub(r"[^\w.-]+", "-", title).strip("-. ") or "report"
    number, folder = 1, reports / title
    while folder.exists():
        number += 1
        folder = reports / f"{title}-{number}"
    return folder
