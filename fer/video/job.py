"""A video as a job (see `fer.jobs.job`): its request, and the other files in its folder.

FOLDER/ID/             the ID cannot be guessed: whoever has it may see the job
    video/             the uploaded video; a video on this machine stays where it is
    timeline.npz       the timeline; a few seconds old while the job runs
    NAME-faces.mp4     the annotated video, when it is finished
    preview.jpg        the latest annotated picture, while the job runs
    notes.json         names, merges, markers, corrections, see `fer.video.notes`; damaged-notes-….json is unreadable
    drawn.json         which notes the annotated video shows

The work itself is in `fer.cli.video_job`, because it draws.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from fer.errors import JobError
from fer.files import file_errors
from fer.jobs import job
from fer.jobs.job import Kind, check_still, start, write_request
from fer.jobs.status import STATUS_NAME
from fer.model.prior import EVERYDAY
from fer.video.notes import NOTES_NAME, renew_notes
from fer.video.settings import ClipOptions

UPLOAD_FOLDER, TIMELINE_NAME, PREVIEW_NAME, DRAWN_NAME = "video", "timeline.npz", "preview.jpg", "*-faces.mp4*"
WAITING, LOADING, SKIPPING = "waiting for its turn", "loading the model", "skipping to the start"
LOOKING, DRAWING = "analyzing", "drawing"
"""What a job reports that it does."""


@dataclass(frozen=True)
class VideoRequest:
    """Which video to analyze, and how."""

    path: Path
    """The video; an uploaded one is relative to the job's folder."""
    checkpoint: Path
    """The model file."""
    options: ClipOptions
    faces: str = EVERYDAY
    """The kind of faces, one of `KINDS_OF_FACES`."""
    draws_only: bool = False
    """Only draw the annotated video again, from the timeline and the notes, without the model."""

    @property
    def is_upload(self) -> bool:
        """Whether the video was uploaded."""
        return not self.path.is_absolute()

    def annotated(self, folder: Path) -> Path:
        """Return the path of the annotated video in the job's folder."""
        return folder / f"{self.path.stem[:80]}-faces.mp4"


KIND = Kind("video", VideoRequest)


def new_job(parent: Path, request: VideoRequest) -> Path:
    """Make a job's folder and return it; see `fer.jobs.job.new_job`."""
    return job.new_job(parent, KIND, request)


def job_anew(folder: Path, request: VideoRequest) -> Path:
    """Make another job for the same video, with its markers, and return its folder; the first job stays.

    Raises:
        FerError: the job cannot be made.
    """
    made = new_job(folder.parent, request)
    if (folder / NOTES_NAME).exists():
        shutil.copyfile(folder / NOTES_NAME, made / NOTES_NAME)
        renew_notes(made)
    if request.is_upload:
        try:
            with file_errors(f"{request.path.name} cannot be saved again", JobError):
                (made / request.path).parent.mkdir()
                try:
                    (made / request.path).hardlink_to(folder / request.path)
                except OSError:  # a disk without hard links
                    shutil.copyfile(folder / request.path, made / request.path)
        except JobError:
            shutil.rmtree(made)
            raise
    return made


def upload_path(name: str) -> Path:
    """Return the path of an uploaded video in its job's folder; no name can lead out of it."""
    return Path(UPLOAD_FOLDER) / (job.safe_name(name)[-100:] or "video")


def keep_upload(folder: Path, request: VideoRequest, content: memoryview) -> None:
    """Copy an uploaded video into its job's folder.

    Raises:
        JobError: the copy cannot be written.
    """
    with file_errors(f"{request.path.name} cannot be saved", JobError):
        (folder / request.path).parent.mkdir(exist_ok=True)
        (folder / request.path).write_bytes(content)


def begin(folder: Path, request: VideoRequest) -> None:
    """Start a job with this request; a finished job, only to draw.

    Raises:
        JobError: the job is already running, or cannot be started.
    """
    check_still(folder, KIND)
    with file_errors(f"{request.path.name} cannot be started", JobError):
        write_request(folder, KIND, request)
        if request.draws_only:
            (folder / STATUS_NAME).unlink(missing_ok=True)  # it is no longer finished
    start(folder, KIND)
