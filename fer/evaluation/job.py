"""Evaluations as jobs, and the reports that they leave.

runs/NAME/reports/TITLE/    what was measured of a run's model; runs/.shipped/reports/TITLE/ of the shipped one's
    report.json, report.predictions.csv, and what `fer.jobs.job` keeps
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fer.evaluation.provenance import command_line
from fer.evaluation.report import Evaluation, predictions_name, write_report
from fer.files import free_path
from fer.jobs import job
from fer.jobs.job import JobView, Kind, Stop
from fer.jobs.process import available_cores, spare_threads
from fer.jobs.status import FINISHED, INTERRUPTED, Reporter, Status
from fer.model.prior import EVERYDAY
from fer.records import read_record

if TYPE_CHECKING:
    from fer.evaluation.predict import Progress

SHIPPED_FOLDER = ".shipped"
"""Stands where a run's folder does. No run can be called so."""
REPORT_NAME = "report.json"


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
    faces: str = EVERYDAY
    """How the model is read, one of `READINGS`."""
    detect: bool = False
    """Whether the faces are to be found first, in whole photos."""
    runtime: str = "auto"
    """What computes, one of `fer.model.classifier.RUNTIMES`."""
    reduced: bool = False
    """Whether it computes as fast as for video, see `Classifier.reduced`."""

    def command(self) -> list[str]:
        """Return the command that measures the same."""
        options = {"dataset": self.dataset, "checkpoint": self.checkpoint, "split": self.split, "rule": self.rule}
        given = ["fer-studio", "evaluate", *(part for name, value in options.items() for part in (f"--{name}", value))]
        if self.faces != EVERYDAY:
            given += ["--faces", self.faces]
        if self.runtime != "auto":
            given += ["--runtime", self.runtime]
        if self.reduced:
            given += ["--reduced"]
        if self.detect:
            given += ["--detect"]
        if self.robustness:
            given += ["--robustness", *(["--sample", str(self.sample)] if self.sample else [])]
        return given


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


def views(runs_folder: Path) -> list[JobView[Request]]:
    """Return all evaluations of all runs: those that go on first, then the newest."""
    return job.views(runs_folder, KIND)


def start(
    runs_folder: Path, requests: Sequence[tuple[str | None, Request]], title: str, threads: int | None = None
) -> list[Path]:
    """Start evaluations of one model or several, each as a process of its own, all at once; return their folders.

    Args:
        runs_folder: where the runs are kept.
        requests: the name of the run that the model is of, or None for a shipped one, and what to measure.
        title: what the data set is called; a number is added where there is one of that name.
        threads: of the processor, for all of them; all but one if not given, which is left to the pages.

    Raises:
        JobError: others go on, or no process can be started.
    """
    others = views(runs_folder)
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
    """Measure a model in this process, and write its report; see `measure`.

    Raises:
        OSError: the report cannot be written.
    """

    def say(what: str, done: int, total: int) -> None:
        reporter.say(f"{what} · {done:,} of {total:,}", done, total)

    evaluation = measure(request, folder / REPORT_NAME, command_line(request.command()), say, threads)
    write_report(folder / REPORT_NAME, evaluation.report, evaluation.predictions)


def measure(request: Request, output: Path, command: str, say: "Progress", threads: int | None = None) -> Evaluation:
    """Measure a model in this process.

    Args:
        request: what to measure.
        output: where the report will be.
        command: what was typed, to be written down.
        say: is told how far it is.
        threads: of the processor.

    Raises:
        FerError: the model or the data set cannot be read.
    """
    from fer.datasets import open_dataset
    from fer.evaluation.evaluate import Options, evaluate
    from fer.model.classifier import Classifier
    from fer.recognition.detector import FaceDetector
    from fer.recognition.recognizer import Recognizer

    checkpoint = Path(request.checkpoint)
    threads = threads or available_cores()
    classifier = Classifier.load(checkpoint, runtime=request.runtime, threads=threads)
    classifier = classifier.reduced() if request.reduced else classifier
    recognizer = Recognizer(FaceDetector(threads=threads), classifier) if request.detect else None
    dataset = open_dataset(request.dataset)
    wanted = Options(
        request.split, request.rule, request.robustness, request.sample, predictions_name(output), command,
        request.faces,
    )  # fmt: skip
    return evaluate(classifier, checkpoint, dataset, wanted, say, recognizer)
