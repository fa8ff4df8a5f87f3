"""Collections that a page does, as processes of their own: started, watched, stopped, gone on with and deleted.

FOLDER/ID/        the ID cannot be guessed: who has it may see the job
    job.json      what is to be done
    pictures/     what was uploaded; a folder of this machine stays where it is
    process.json  who does it
    progress.json how far they are
    log.txt       what they said
    results.jsonl what is known of each picture, see `fer.results.journal`
    annotated/    copies of the pictures with their faces marked
"""

import json
import re
import secrets
import shutil
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from fer.datasets.archive import unpack
from fer.errors import CollectionError, DatasetError
from fer.files import write_atomically
from fer.images import IMAGE_SUFFIXES, list_images
from fer.model.prior import EVERYDAY
from fer.results.journal import PictureTask
from fer.training.background import ProcessMark, end_process, last_words, read_record, start_process
from fer.training.launch import spare_threads

RUNNING, INTERRUPTED, FINISHED = "running", "interrupted", "finished"
STOP_SECONDS = 10.0
KEPT_SECONDS = 7 * 24 * 3600
"""Uploads of visitors who never come back do not fill the disk."""

_starting = threading.Lock()
_ID = re.compile(r"[\w-]{16,32}")


@dataclass(frozen=True)
class Job:
    """A collection and where it is done."""

    folder: Path
    title: str
    source: Path
    """The folder of the pictures."""
    checkpoint: Path
    created: float
    """Seconds since 1970."""
    faces: str = EVERYDAY
    """What kind of faces the pictures show, one of `KINDS_OF_FACES`."""

    @property
    def id(self) -> str:
        """What it is known by."""
        return self.folder.name

    @property
    def results_path(self) -> Path:
        """Where the results are."""
        return self.folder / "results.jsonl"

    @property
    def progress_path(self) -> Path:
        """Where its process says how far it is."""
        return self.folder / "progress.json"

    @property
    def is_upload(self) -> bool:
        """Whether the pictures are copies that were uploaded."""
        return self.source == self.folder / "pictures"

    def pictures(self) -> list[PictureTask]:
        """Return what is to be done, named from its folder, each with a place for its annotated copy."""
        found = []
        for path in list_images([self.source]):
            name = path.relative_to(self.source).as_posix() if path != self.source else path.name
            found.append(PictureTask(path, name, self.folder / "annotated" / f"{name}.jpg"))
        return found


@dataclass(frozen=True)
class JobView:
    """A job as it is on disk at one moment."""

    job: Job
    state: str
    """running, interrupted or finished."""
    done: int
    total: int
    """0 before it is known."""
    seconds_left: float | None
    message: str
    """What its process said last, if it was interrupted."""


def create(folder: Path, checkpoint: Path, title: str, source: Path | None = None, faces: str = EVERYDAY) -> Job:
    """Make a job, without starting it.

    Args:
        folder: where jobs are kept; made if it is not there. Uploads that nobody looked after for `KEPT_SECONDS` go.
        checkpoint: the model file.
        title: what people call it.
        source: a folder of this machine; None: pictures are added with `add_upload`.
        faces: see `Job.faces`.

    Raises:
        CollectionError: the folder of pictures is not there, or the job's cannot be made.
    """
    if source and not source.is_dir():
        raise CollectionError(f"expected a folder of pictures, found none at {source}. Check the path.")
    home = folder / secrets.token_urlsafe(16)
    job = Job(home, title, source or home / "pictures", checkpoint.absolute(), time.time(), faces)
    try:
        (home / "pictures").mkdir(parents=True)
        record = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(job).items()}
        write_atomically(home / "job.json", json.dumps(record))
    except OSError as error:
        raise CollectionError(f"the job cannot be kept in {folder}: {error}. Make room there.") from error
    for old in jobs(folder):
        if old.is_upload and time.time() - old.created > KEPT_SECONDS and view(old).state != RUNNING:
            delete(old)
    return job


def add_upload(job: Job, name: str, content: BinaryIO) -> None:
    """Add an uploaded picture, or the pictures in an uploaded ZIP; two of the same name are both kept.

    Args:
        job: one of uploads.
        name: what the visitor's file is called, perhaps with folders before it; nothing in it can lead out of the job.
        content: an open file, at its start.

    Raises:
        CollectionError: it is neither, or is refused (see `unpack`), or cannot be written.
    """
    parts = [re.sub(r"[^\w .()-]+", "-", part).strip(" .") for part in PurePosixPath(name.replace("\\", "/")).parts]
    place = job.source.joinpath(*(part for part in parts if part))
    try:
        if place.suffix.lower() == ".zip":
            packed = job.folder / f"{place.stem[:40] or 'pictures'}.zip"
            try:
                with packed.open("wb") as copy:
                    shutil.copyfileobj(content, copy)
                folder = unpack(packed, job.folder / "unpacking")
            finally:
                packed.unlink(missing_ok=True)
            folder.rename(_free(job.source / packed.stem))
            folder.parent.rmdir()
        elif place.suffix.lower() in IMAGE_SUFFIXES:
            place.parent.mkdir(parents=True, exist_ok=True)
            with _free(place).open("xb") as copy:
                shutil.copyfileobj(content, copy)
        else:
            raise CollectionError(f"expected pictures or a ZIP of them, got {name!r}.")
    except DatasetError as error:
        raise CollectionError(str(error)) from error
    except OSError as error:
        raise CollectionError(f"{name!r} cannot be kept: {error}. Make room, or upload fewer at once.") from error


def jobs(folder: Path) -> list[Job]:
    """Return all jobs, the newest first."""
    found = (find(folder, path.parent.name) for path in folder.glob("*/job.json"))
    return sorted((job for job in found if job), key=lambda job: -job.created)


def find(folder: Path, job_id: str) -> Job | None:
    """Return the job of that ID, which may come from anybody; None where there is none."""
    if not _ID.fullmatch(job_id):
        return None
    record = read_record(folder / job_id / "job.json")
    if not record:
        return None
    paths = {name: Path(record[name]) for name in ("source", "checkpoint")}
    return Job(**{**record, **paths, "folder": folder / job_id})


def view(job: Job) -> JobView:
    """Read where a job stands."""
    progress, mark = read_record(job.progress_path), _mark(job)
    done, total = progress.get("done", 0), progress.get("total", 0)
    ended = FINISHED if progress.get("finished") else INTERRUPTED
    state = RUNNING if mark and mark.is_alive() else ended
    message = last_words(job.folder / "log.txt") if state == INTERRUPTED else ""
    return JobView(job, state, done, total, progress.get("seconds_left"), message)


def start(job: Job) -> None:
    """Start a job, or go on with it; one at a time.

    Raises:
        CollectionError: another one goes on, there are no pictures, or no process can be started.
    """
    with _starting:
        running = [other for other in jobs(job.folder.parent) if view(other).state == RUNNING]
        if running:
            raise CollectionError("expected no other collection under way, but one is. Wait until it has ended.")
        if not list_images([job.source]):
            raise CollectionError(f"expected pictures, found none in {job.title}.")
        command: list[str | Path] = [
            sys.executable, "-m", "fer.collection.work", job.folder, "--workers", str(spare_threads()),
        ]  # fmt: skip
        try:
            (job.folder / "log.txt").unlink(missing_ok=True)  # what an earlier process said holds no longer
            write_atomically(
                job.folder / "process.json", json.dumps(asdict(start_process(command, job.folder / "log.txt")))
            )
        except OSError as error:
            raise CollectionError(f"the job cannot be started: {error}.") from error


def stop(job: Job) -> None:
    """End the process of a job; what is done stays, and `start` goes on from there.

    Raises:
        CollectionError: the process belongs to somebody else.
    """
    mark = _mark(job)
    try:
        if mark:
            end_process(mark, STOP_SECONDS)
    except PermissionError as error:
        raise CollectionError(f"the process of {job.title} belongs to another user: {error}.") from error


def delete(job: Job) -> None:
    """End a job and remove all that is known of it, uploaded pictures too; those of a folder of this machine stay.

    Raises:
        CollectionError: the system does not let us.
    """
    stop(job)
    try:
        shutil.rmtree(job.folder)
    except OSError as error:
        raise CollectionError(f"{job.title} cannot be deleted: {error}.") from error


def _free(path: Path) -> Path:
    """Return the path, with a number where there is one of that name."""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_stem(f"{path.stem}-{number}")
    return free


def _mark(job: Job) -> ProcessMark | None:
    record = read_record(job.folder / "process.json")
    return ProcessMark(**record) if record else None
