"""Evaluations as jobs, and the reports that they leave.

runs/NAME/reports/TITLE/    what was measured of a run's model; runs/.shipped/reports/TITLE/ of the shipped one's
    report.json, report.predictions.csv, and what `fer.jobs.job` keeps
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
"""Stands where a run's folder does. No run can be called so."""
REPORT_NAME = "report.json"


@dataclass(frozen=True)
class _Earlier:
    request: Request


def _earlier(folder: Path) -> tuple[Request | None, Status] | None:
    """Read request.json of an earlier version; a report alone was made from a command line."""
    is_there = (folder / REPORT_NAME).is_file()
    if not is_there and not (folder / "request.json").exists():
        return None
    wanted = read_record(folder / "request.json", _Earlier)
    return wanted.request if wanted else None, Status(FINISHED if is_there else INTERRUPTED)


KIND = Kind("evaluation", Request, place="*/reports/*", earlier=_earlier)


def model_of(folder: Path) -> str | None:
    """Return the name of the run that an evaluation's model is of; None for a shipped one."""
    name = folder.parents[1].name
    return None if name == SHIPPED_FOLDER else name


def start(
    runs_folder: Path, requests: Sequence[tuple[str | None, Request]], title: str, threads: int | None = None
) -> list[Path]:
    """Start evaluations of one model or several, each as a process of its own, all at once; return their folders.

    A request comes with the name of the run that its model is of, None for a shipped one. Where there is an evaluation
    of that title a number is added. All share the threads: all of the processor's but one if not told.

    Raises:
        JobError: others go on, or no process can be started.
    """
    others = job.views(runs_folder, KIND)
    job.check_free(KIND, others)
    share = max((threads or spare_threads()) // max(len(requests), 1), 1)
    folders = []
    for run_name, request in requests:
        model = "" if run_name else f"{Path(request.checkpoint).stem}-"  # several models are shipped
        name = re.sub(r"[^\w.-]+", "-", f"{model}{title}-{request.split}-{request.rule}").strip("-. ")
        folder = free_path(runs_folder / (run_name or SHIPPED_FOLDER) / "reports" / (name or "report"))
        job.create(folder, KIND, request)
        job.start(folder, KIND, share, others)
        folders.append(folder)
    return folders


def run(folder: Path, request: Request, reporter: Reporter, stop: Stop, threads: int | None = None) -> None:
    """Measure a model in this process and write its report; see `measure` and `write_report` for the errors."""

    def say(what: str, done: int, total: int) -> None:
        reporter.say(f"{what} · {done:,} of {total:,}", done, total)

    evaluation = measure(request, folder / REPORT_NAME, shlex.join(request.command()), say, threads)
    write_report(folder / REPORT_NAME, evaluation.report, evaluation.predictions)


def measure(request: Request, output: Path, command: str, say: "Progress", threads: int | None = None) -> Evaluation:
    """Measure a model in this process: the command is written down, and `say` is told how far it is.

    Raises:
        FerError: the model or the data set cannot be read.
    """
    from fer.datasets import open_dataset
    from fer.evaluation.evaluate import evaluate
    from fer.model.classifier import Classifier
    from fer.recognition.detector import FaceDetector
    from fer.recognition.recognizer import Recognizer

    threads = threads or available_cores()
    classifier = Classifier.load(request.checkpoint, runtime=request.runtime, threads=threads)
    classifier = classifier.reduced() if request.reduced else classifier
    recognizer = Recognizer(FaceDetector(threads=threads), classifier) if request.detect else None
    dataset = open_dataset(request.dataset)
    return evaluate(classifier, dataset, request, say, recognizer, predictions_name(output), command)
