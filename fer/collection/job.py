"""Collections of photos as jobs.

FOLDER/ID/        the ID is unguessable: whoever has it may see the job
    pictures/     uploads; pictures in a folder of this machine stay there
    results.jsonl the results of the pictures, see `fer.results.journal`
    annotated/    copies of the pictures with their faces marked
                  and the files of `fer.jobs.job`
"""

import math
import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from fer.datasets.archive import unpack
from fer.errors import CollectionError, DatasetError
from fer.files import file_errors, free_path, short_name
from fer.images import IMAGE_SUFFIXES, list_images
from fer.jobs import job
from fer.jobs.job import JobView, Kind, Stop, new_job, safe_name
from fer.jobs.status import FINISHED, INTERRUPTED, STOPPED, Reporter, Status
from fer.model.checkpoint import model_sha256
from fer.model.prior import EVERYDAY
from fer.records import read_record
from fer.results.journal import PictureTask, open_results

RESULTS_NAME, UPLOADS_NAME, DRAWN_NAME = "results.jsonl", "pictures", "annotated"


@dataclass(frozen=True)
class Request:
    """The photos, and how to recognize them."""

    title: str
    """The name for people."""
    checkpoint: Path
    """The model file."""
    source: Path | None = None
    """A folder of pictures on this machine; None for those uploaded to the job's own folder."""
    faces: str = EVERYDAY
    """The kind of faces on the pictures, one of `KINDS_OF_FACES`."""


@dataclass(frozen=True)
class _EarlierProgress:
    finished: bool = False
    done: int = 0
    total: int = 0


def _earlier(folder: Path) -> tuple[Request | None, Status] | None:
    """Read job.json and progress.json of an earlier version."""
    if not (folder / "job.json").exists():
        return None
    progress = read_record(folder / "progress.json", _EarlierProgress) or _EarlierProgress()
    state = FINISHED if progress.finished else INTERRUPTED
    return read_record(folder / "job.json", Request), Status(state, done=progress.done, total=progress.total)


KIND = Kind("collection", Request, earlier=_earlier)


def source_of(folder: Path, request: Request) -> Path:
    """Return the folder of the pictures."""
    return request.source or folder / UPLOADS_NAME


def is_upload(folder: Path, request: Request) -> bool:
    """Whether the pictures are uploaded copies."""
    return source_of(folder, request) == folder / UPLOADS_NAME  # earlier versions stored the path


def pictures_of(folder: Path, request: Request) -> list[PictureTask]:
    """Return the pictures to process, named relative to their folder, each with the path of its annotated copy."""
    found, source = [], source_of(folder, request)
    for path in list_images([source]):
        name = path.relative_to(source).as_posix() if path != source else path.name
        copy = (folder / DRAWN_NAME / name).with_name(f"{short_name(path.name)}.jpg")
        found.append(PictureTask(path, name, copy))
    return found


def create(
    place: Path, checkpoint: Path, title: str, source: Path | None = None, faces: str = EVERYDAY
) -> JobView[Request]:
    """Create a job, without starting it, for a folder of this machine or, without a source, for uploads.

    Raises:
        CollectionError: the folder of pictures does not exist.
        JobError: the job's folder cannot be created.
    """
    if source and not source.is_dir():
        raise CollectionError(f"expected a folder of pictures, found none at {source}. Check the path.")
    return job.view(new_job(place, KIND, Request(title, checkpoint.absolute(), source, faces)), KIND)


def add_upload(folder: Path, name: str, content: BinaryIO, most_bytes: float = math.inf) -> None:
    """Add an uploaded picture, or the pictures in an uploaded ZIP; if two have the same name, both are kept.

    The name may include folders; nothing in it can lead outside the job. A ZIP of more than `most_bytes` is refused.

    Raises:
        CollectionError: it is neither, is refused (see `unpack`), or cannot be written.
    """
    place = (folder / UPLOADS_NAME).joinpath(*map(safe_name, PurePosixPath(name.replace("\\", "/")).parts))
    with file_errors(f"{name!r} cannot be saved", CollectionError):
        if place.suffix.lower() == ".zip":
            packed = folder / f"{place.stem[:40] or 'pictures'}.zip"
            try:
                with packed.open("wb") as copy:
                    shutil.copyfileobj(content, copy)
                unpacked = unpack(packed, folder / "unpacking", most_bytes)
            except DatasetError as error:
                raise CollectionError(str(error).replace(str(packed), name)) from error
            finally:
                packed.unlink(missing_ok=True)
            (folder / UPLOADS_NAME).mkdir(exist_ok=True)
            unpacked.rename(free_path(folder / UPLOADS_NAME / packed.stem))
            unpacked.parent.rmdir()
        elif place.suffix.lower() in IMAGE_SUFFIXES:
            place.parent.mkdir(parents=True, exist_ok=True)
            with free_path(place).open("xb") as copy:
                shutil.copyfileobj(content, copy)
        else:
            raise CollectionError(f"expected pictures or a ZIP of them, got {name!r}. Choose other files.")


def start(folder: Path) -> None:
    """Start or resume a job; one at a time.

    Raises:
        CollectionError: there are no pictures.
        JobError: another one is running, the job cannot be read, or no process can be started.
    """
    request = job.read_request(folder, KIND)
    if not list_images([source_of(folder, request)]) or not source_of(folder, request).exists():
        raise CollectionError(f"expected pictures, found none in {request.title}. Choose another folder.")
    job.start(folder, KIND, among=job.views(folder.parent, KIND))


def run(folder: Path, request: Request, reporter: Reporter, stop: Stop, threads: int | None = None) -> None:
    """Recognize the remaining pictures in this process, and store the results.

    Raises:
        FerError: the model cannot be read, the results belong to something else, or the disk is full.
    """
    from fer.collection.pipeline import recognize_pictures, write_preview
    from fer.recognition.recognizer import Recognizer

    pictures = pictures_of(folder, request)
    with open_results(folder / RESULTS_NAME, pictures, model_sha256(request.checkpoint)) as known:
        missing, total = known.missing(), len(pictures)
        done = total - len(missing)

        def say(done: int) -> None:
            reporter.say(f"{done:,} of {total:,} pictures", done, total)

        recognizer = Recognizer.load(request.checkpoint, faces=request.faces, threads=1)
        stop.gently = True  # from here on there is something to finish
        say(done)
        finish = partial(write_preview, recognizer.info)
        for finished in recognize_pictures(recognizer, missing, finish, threads):
            known.add(finished)
            done += 1
            say(done)
            if stop.asked and done < total:
                reporter.set(STOPPED)
                return
