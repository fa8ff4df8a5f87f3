"""A video as a job (see `fer.jobs.job`): what is asked for, and what its folder keeps besides.

FOLDER/ID/             the ID cannot be guessed: who has it may see the job
    video/             the video that was uploaded; one of this machine stays where it is
    timeline.npz       what was seen, up to some seconds ago while it goes on
    NAME-faces.mp4     the annotated video, when it is done
    preview.jpg        while it goes on, the annotated picture that was drawn last
    notes.json         what somebody has said of it, see `fer.video.notes`; damaged-notes-….json could not be read
    drawn.json         which of that the annotated video shows

Who does it is a module above, as that draws.
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
WAITING, LOADING, SKIPPING, LOOKING = "waiting for its turn", "loading the model", "going there", "looking"
DRAWING = "drawing"
"""What a job says it does."""


@dataclass(frozen=True)
class VideoRequest:
    """What video to look at, and how."""

    path: Path
    """Of the video; of one that was uploaded, from the job's folder on."""
    checkpoint: Path
    """The model file."""
    options: ClipOptions
    faces: str = EVERYDAY
    """What kind of faces it shows, one of `KINDS_OF_FACES`."""
    draws_only: bool = False
    """Draw the annotated video again, from what was found and the notes, without the model."""

    @property
    def is_upload(self) -> bool:
        """Whether the video is a copy that was uploaded."""
        return not self.path.is_absolute()

    def annotated(self, folder: Path) -> Path:
        """Return where the annotated video goes."""
        return folder / f"{self.path.stem[:80]}-faces.mp4"


KIND = Kind("video", VideoRequest)


def new_job(parent: Path, request: VideoRequest) -> Path:
    """Make the folder of a job and return it; see `fer.jobs.job.new_job`."""
    return job.new_job(parent, KIND, request)


def job_anew(folder: Path, request: VideoRequest) -> Path:
    """Make another job of the same video, with its markers; what was seen stays in the first. Return its folder.

    Raises:
        FerError: it cannot be made.
    """
    made = new_job(folder.parent, request)
    if (folder / NOTES_NAME).exists():
        shutil.copyfile(folder / NOTES_NAME, made / NOTES_NAME)
        renew_notes(made)
    if request.is_upload:
        try:
            with file_errors(f"{request.path.name} cannot be kept once more", JobError):
                (made / request.path).parent.mkdir()
                try:
                    (made / request.path).hardlink_to(folder / request.path)
                except OSError:  # a disk without such links
                    shutil.copyfile(folder / request.path, made / request.path)
        except JobError:
            shutil.rmtree(made)
            raise
    return made


def upload_path(name: str) -> Path:
    """Return where an uploaded video lies, from its job's folder on; nothing in its name can lead out of there."""
    return Path(UPLOAD_FOLDER) / (job.safe_name(name)[-100:] or "video")


def keep_upload(folder: Path, request: VideoRequest, content: memoryview) -> None:
    """Copy an uploaded video into its job's folder.

    Raises:
        JobError: it cannot be written.
    """
    with file_errors(f"{request.path.name} cannot be kept", JobError):
        (folder / request.path).parent.mkdir(exist_ok=True)
        (folder / request.path).write_bytes(content)


def begin(folder: Path, request: VideoRequest) -> None:
    """Start a job with what is asked for now; one that has finished, to draw only.

    Raises:
        JobError: it goes on already, or cannot be started.
    """
    check_still(folder, KIND)
    with file_errors(f"{request.path.name} cannot be started", JobError):
        write_request(folder, KIND, request)
        if request.draws_only:
            (folder / STATUS_NAME).unlink(missing_ok=True)  # there is something left to do
    start(folder, KIND)
