"""Everything that pages and commands do with files from others, kind by kind.

A reader is created once, and then called with one folder after the other. It returns a description of what it read; a
`FerError` is a valid response, any other exception is a fault.
"""

import contextlib
import io
import itertools
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from fer.errors import FerError

Reader = Callable[[Path, Path], None]
"""Takes the folder with the input, and an empty one for output."""
VIDEO_FRAMES = 60
"""Number of frames to read."""
VIDEO_SIDE_PX = 1920
"""Limit on the longest side, as in the product."""
UPLOAD_NAME = "upload name.txt"
"""In the folder of an archive: its name from the visitor."""


def pictures() -> Reader:
    """Read a photo from a path and as an upload, and detect its faces."""
    from fer.images import read_image
    from fer.recognition.photo import recognize_photo
    from fer.recognition.recognizer import Recognizer

    recognizer = Recognizer.load()

    def read(given: Path, kept: Path) -> None:
        for path in _files(given):
            read_image(path)
            recognize_photo(recognizer, path.read_bytes())

    return read


def archives() -> Reader:
    """Store an upload as a data set and as many photos, and read everything in it."""
    from fer.collection import job as collections
    from fer.datasets import open_dataset
    from fer.datasets.archive import keep_upload
    from fer.datasets.report import contact_sheet, report
    from fer.images import list_images

    def read(given: Path, kept: Path) -> None:
        name = (given / UPLOAD_NAME).read_bytes().decode("utf-8", "surrogatepass")
        (file,) = (path for path in _files(given) if path.name != UPLOAD_NAME)
        before = _around(kept)
        problems = []
        try:
            collections.add_upload(kept / "job", name, io.BytesIO(file.read_bytes()))
            list_images([kept / "job"])
        except FerError as error:
            problems.append(error)
        with contextlib.ExitStack() as stack:
            stack.callback(_check_kept, kept, before)
            dataset = open_dataset(keep_upload(name, stack.enter_context(file.open("rb")), kept / "uploads"))
            report(dataset)
            contact_sheet(dataset)
        if problems:
            raise problems[0]

    return read


def _around(kept: Path) -> set[Path]:
    return {path for path in kept.parent.rglob("*") if kept not in path.parents}


def _check_kept(kept: Path, before: set[Path]) -> None:
    """Raise RuntimeError if there are files outside the folder, or incomplete ones in it."""
    outside = _around(kept) - before
    half_made = list(kept.rglob(".partial-*"))
    if outside or half_made:
        raise RuntimeError(f"left behind: {[*outside, *half_made]}")


def models() -> Reader:
    """Read a model file's header, load it, and run it."""
    from fer.model.checkpoint import count_parameters, read_info, weights_file
    from fer.model.classifier import Classifier
    from fer.model.prior import READINGS

    def read(given: Path, kept: Path) -> None:
        paths = [path for path in _files(given) if path.suffix == ".safetensors"]
        for path in paths or [given / "best.safetensors"]:
            info = read_info(path)
            count_parameters(weights_file(path))
            for kind in READINGS:
                with contextlib.suppress(FerError):  # the model lacks the head or the prior for it
                    info.read_for(kind)
            classifier = Classifier.load(path)
            side, channels = info.preprocessing.size_px, info.preprocessing.channels
            answers, _ = classifier.with_opinions(np.zeros((1, channels, side, side), np.uint8))
            if not np.isfinite(answers).all():
                raise RuntimeError(f"answers: {answers}")

    return read


def records() -> Reader:
    """Show runs, jobs, journals, timelines, reports and tables, as the pages do."""
    from fer.charts import timeline as lines
    from fer.charts import training as curves
    from fer.cli import jobs as command
    from fer.collection import job as collections
    from fer.collection.selection import entries_of, groups_of
    from fer.evaluation import job as evaluations
    from fer.evaluation.report import Ablation, FewPictures, read_evaluation, read_table
    from fer.evaluation.settings import Settings
    from fer.jobs import job
    from fer.reports.evaluation import html_report
    from fer.results.journal import open_results, read_finished
    from fer.results.pictures import to_csv, to_json
    from fer.results.subtitles import to_srt
    from fer.results.timeline import read_timeline, timeline_csv, timeline_json, timeline_text
    from fer.training import runs
    from fer.video import job as videos

    tables = {"ablation.json": Ablation, "finetuning.json": FewPictures, "settings.json": Settings}

    def show_jobs(given: Path) -> None:
        kinds: dict[str, job.Kind[Any]] = {"videos": videos.KIND, "collections": collections.KIND}
        for place, kind in (kinds | {"runs": evaluations.KIND}).items():
            for seen in job.views(given / place, kind):
                _look_at(seen)
        for view in runs.views(given / "runs"):
            _look_at(view)
            _ = view.best, view.seconds, view.validated_by
            for chart in (curves.loss_curves, curves.accuracy_curves, curves.rate_curve):
                chart(view).to_json()
        with contextlib.redirect_stdout(io.StringIO()):
            for folder in given.iterdir():
                command.list_jobs(folder)

    def show_results(path: Path) -> None:
        finished = read_finished(path)
        results, entries = [one.result for one in finished], entries_of(finished)
        groups_of(entries, ["neutral"], 0.5)
        to_csv(results, ["neutral"], 0.5)
        to_json(results, 0.5)
        with open_results(path, [one.picture for one in finished], "model") as opened:
            list(opened.results())
            opened.missing()

    def show_timeline(path: Path) -> None:
        seen = read_timeline(path)
        if seen is None:
            return
        for form in (timeline_csv(seen), [timeline_json(seen)], timeline_text(seen, "a"), to_srt(seen)):
            sum(map(len, form))
        seen.key_moments()
        seen.faces_at(0.5)
        if seen.people:
            shown = lines.shown_people(seen)
            for chart in (lines.timeline_bars(seen), lines.time_bars(seen), lines.probability_lines(seen, shown)):
                chart.to_json()
        if seen.valence is not None:
            lines.valence_lines(seen).to_json()

    def read(given: Path, kept: Path) -> None:
        problems = []
        show_jobs(given)
        for path in _files(given):
            try:
                if path.name == collections.RESULTS_NAME:
                    show_results(path)
                elif path.name == videos.TIMELINE_NAME:
                    show_timeline(path)
                elif path.name == evaluations.REPORT_NAME:
                    html_report(read_evaluation(path).report)
                elif path.name in tables:
                    read_table(path, tables[path.name])
            except FerError as error:
                problems.append(error)
        if problems:
            raise problems[0]

    def _look_at(seen: job.JobView[Any]) -> None:
        _ = seen.active, seen.can_resume, seen.message, seen.status.share, seen.name
        job.log_tail(seen.folder)

    return read


def videos() -> Reader:
    """Read the beginning of a video, a picture in it, and its sound."""
    from fer.video.io.files import VideoFile, picture_at
    from fer.video.io.sound import Sound

    def read(given: Path, kept: Path) -> None:
        for path in _files(given):
            video = VideoFile(path, VIDEO_SIDE_PX)
            try:
                for frame in itertools.islice(video.frames(), VIDEO_FRAMES):
                    _ = frame.image
            finally:
                video.close()
            if sound := Sound.of(path, video.starts):
                sound.begin(0.0)
                sum(1 for _ in sound.until(2.0))
                sound.close()
            picture_at(path, 0.3)

    return read


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


READERS: dict[str, Callable[[], Reader]] = {
    "pictures": pictures,
    "archives": archives,
    "models": models,
    "records": records,
    "videos": videos,
}


def emptied(folder: Path) -> Path:
    """Return an empty folder, created if needed."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
