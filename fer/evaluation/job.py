"""Evaluations as jobs, and their reports.

runs/NAME/reports/TITLE/    an evaluation of a run's model; runs/.shipped/reports/TITLE/ of a built-in model
    report.json, report.predictions.csv, and the files of `fer.jobs.job`
"""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fer.evaluation.report import Evaluation, Request, predictions_name, write_report
from fer.files import free_path
from fer.jobs import job
from fer.jobs.job import Kind, Stop
from fer.jobs.process import available_cores, spare_threads
from fer.jobs.status import FINISHED, INTERRUPTED, Reporter, Status
from fer.records import read_record

if TYPE_CHECKING:
    from fer.evaluation.predict import Progress

SHIPPED_FOLDER = ".shipped"
"""Takes the place of a run's folder. No run can have this name."""
REPORT_NAME = "report.json"


@dataclass(frozen=True)
class _Earlier:
    request: Request


def _earlier(folder: Path) -> tuple[Request | None, Status] | None:
    """Read request.json of an earlier version; a report without it was made on the command line."""
    is_there = (folder / REPORT_NAME).is_file()
    if not is_there and not (folder / "request.json").exists():
        return None
    wanted = read_record(folder / "request.json", _Earlier)
    return wanted.request if wanted else None, Status(FINISHED if is_there else INTERRUPTED)


KIND = Kind("evaluation", Request, place="*/reports/*", earlier=_earlier)


def model_of(folder: Path) -> str | None:
    """Return the name of the run whose model an evaluation is of; None for a built-in model."""
    name = folder.parents[1].name
    return None if name == SHIPPED_FOLDER else name


def start(
    runs_folder: Path, requests: Sequence[tuple[str | None, Request]], title: str, threads: int | None = None
) -> list[Path]:
    """Start evaluations of one or more models at once, each in a background process; return their folders.

    Each request comes with the name of its model's run, None for a built-in model. If the title is taken, a number is
    added. The evaluations share the threads: by default, all of the CPU but one.

    Raises:
        JobError: others are running, or no process can be started.
    """
    others = job.views(runs_folder, KIND)
    job.check_free(KIND, others)
    share = max((threads or spare_threads()) // max(len(requests), 1), 1)
    folders = []
    for run_name, request in requests:
        model = "" if run_name else f"{Path(request.checkpoint).stem}-"  # there are several built-in models
        name = re.sub(r"[^\w.-]+", "-", f"{model}{title}-{request.split}-{request.rule}").strip("-. ")
        folder = free_path(runs_folder / (run_name or SHIPPED_FOLDER) / "reports" / (name or "report"))
        job.create(folder, KIND, request)
        job.start(folder, KIND, share, others)
        folders.append(folder)
    return folders


def run(folder: Path, request: Request, reporter: Reporter, stop: Stop, threads: int | None = None) -> None:
    """Evaluate a model in this process and write its report; for errors see `measure` and `write_report`."""

    def say(what: str, done: int, total: int) -> None:
        reporter.say(f"{what} · {done:,} of {total:,}", done, total)

    evaluation = measure(request, folder / REPORT_NAME, shlex.join(request.command()), say, threads)
    write_report(folder / REPORT_NAME, evaluation.report, evaluation.predictions)


def measure(request: Request, output: Path, command: str, say: "Progress", threads: int | None = None) -> Evaluation:
    """Evaluate a model in this process; `command` goes into the report, and `say` is called with the progress.

    Raises:
        FerError: the model or the data set cannot be read, or the device is missing.
    """
    from fer.datasets import open_dataset
    from fer.evaluation.evaluate import evaluate
    from fer.model.classifier import Classifier
    from fer.model.device import choose_device
    from fer.recognition.detector import FaceDetector
    from fer.recognition.recognizer import Recognizer

    device, threads = choose_device(request.device), threads or available_cores()
    classifier = Classifier.load(request.checkpoint, device, request.runtime, threads)
    classifier = classifier.reduced() if request.reduced else classifier
    recognizer = Recognizer(FaceDetector(device, threads), classifier) if request.detect else None
    dataset = open_dataset(request.dataset)
    return evaluate(classifier, dataset, request, say, recognizer, predictions_name(output), command)
