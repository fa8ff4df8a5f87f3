"""Who looks at which job, how much room visitors from elsewhere may take, and what goes when somebody has left."""

import shutil
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from fer.errors import JobError
from fer.files import file_errors
from fer.jobs import job
from fer.jobs.job import Kind
from fer.jobs.status import DAMAGED, FAILED, FINISHED
from fer.records import read_record, write_record

VISITOR_NAME = "visitor.json"
_EARLIER_NAME = "visitor.txt"
"""Of an earlier version, in jobs of visitors from elsewhere."""
_SESSIONS = 20
"""Each page that is open is one, and each that was loaded anew."""

R = TypeVar("R")


@dataclass(frozen=True)
class Claim:
    """Who looked at a job, and what of it is theirs to keep when they leave. Lies in its folder."""

    sessions: tuple[str, ...]
    """The last one last."""
    is_elsewhere: bool = True
    """Whether that is a visitor from elsewhere, not the owner of the machine."""
    keeps_pictures: bool = False
    """Whether pictures stay: what was uploaded, of the owner, and annotated ones."""
    keeps_found: bool = True
    """Whether what was found stays."""
    asked: bool = False
    """Whether it was to begin, even if it could not yet: then it waits to be gone on with."""

    def seen_by(self, session: str) -> "Claim":
        """Return the claim after somebody has looked, in another page maybe."""
        if session in self.sessions:
            return self
        return replace(self, sessions=(*self.sessions, session)[-_SESSIONS:])


def claim(folder: Path, claim: Claim) -> None:
    """Write down who looks at a job.

    Raises:
        JobError: it cannot be written.
    """
    with file_errors(f"{folder.name} cannot be kept", JobError):
        write_record(folder / VISITOR_NAME, claim)


def claim_of(folder: Path) -> Claim | None:
    """Return who looked at a job; None where nobody did since it was made by an earlier version's owner."""
    earlier = Claim(()) if (folder / _EARLIER_NAME).exists() else None
    return read_record(folder / VISITOR_NAME, Claim) or earlier


def check_room(data: Path, session: str, allowed_bytes: float) -> None:
    """Raise JobError where jobs of visitors from elsewhere are larger than allowed, or those of one than half of it."""
    mine = everybodys = 0
    for folder in {path.parent for name in (VISITOR_NAME, _EARLIER_NAME) for path in data.glob(f"*/*/{name}")}:
        claimed = claim_of(folder)
        if claimed and claimed.is_elsewhere:
            size = size_bytes(folder)
            everybodys += size
            mine += size * (session in claimed.sessions)
    if mine > allowed_bytes / 2 or everybodys > allowed_bytes:
        raise JobError(
            f"expected at most {allowed_bytes / 2**21:,.0f} MB on this machine for each visitor, and twice that for "
            f"all, found {mine / 2**20:,.0f} and {everybodys / 2**20:,.0f} MB. Delete earlier ones, or upload less."
        )


def size_bytes(folder: Path) -> int:
    """Return how much a folder takes; what goes meanwhile does not count."""
    size = 0
    for file in folder.rglob("*"):
        with suppress(OSError):
            size += file.stat().st_size if file.is_file() else 0
    return size


def forget_left(
    place: Path, kind: Kind[R], uploads_name: str, drawn_name: str, present: Callable[[], Collection[str]]
) -> Iterator[Path]:
    """Remove what is not to stay of those who have left; what a job still needs does. Yield the folders it changed.

    What was never to begin goes, and all of a job of which nothing is kept; of one that has ended, pictures that are
    not kept; those that a visitor from elsewhere has uploaded never are.

    Args:
        place: where jobs are kept.
        kind: of the jobs.
        uploads_name: what the folder of uploads is called in that of a job.
        drawn_name: a pattern of what was drawn on pictures, likewise.
        present: returns the sessions of all who are there now; asked for each job, as a look at many takes long.
    """
    for seen in job.views(place, kind):
        claimed = claim_of(seen.folder)
        if seen.active or claimed is None or not set(claimed.sessions).isdisjoint(present()):
            continue
        with suppress(JobError, OSError):  # the next look tries again
            is_lost = seen.state == DAMAGED and claimed.is_elsewhere
            if is_lost or not claimed.keeps_found or not (claimed.asked or job.is_begun(seen.folder)):
                job.delete(seen.folder, kind)
                continue
            going: list[Path] = []
            if seen.state == FINISHED or (seen.state == FAILED and claimed.is_elsewhere):
                if claimed.is_elsewhere or not claimed.keeps_pictures:
                    going += seen.folder.glob(uploads_name)
                if not claimed.keeps_pictures:
                    going += seen.folder.glob(drawn_name)
            for path in going:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            if going:
                yield seen.folder
