"""Which visitor owns which job, how much space remote visitors may use, and what is deleted after they leave."""

import shutil
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from fer.errors import JobError
from fer.files import changed_ns, file_errors
from fer.jobs import job
from fer.jobs.job import Kind
from fer.jobs.status import DAMAGED, FAILED, FINISHED, STATUS_NAME
from fer.records import read_record, write_record

VISITOR_NAME = "visitor.json"
_EARLIER_NAME = "visitor.txt"
"""The file of an earlier version, in jobs of remote visitors."""
WAIT_SECONDS = 24 * 3600.0
_SESSIONS = 20
"""A visitor has a session for each open or reloaded page."""

R = TypeVar("R")


@dataclass(frozen=True)
class Claim:
    """Which sessions have opened a job, and what is kept after they end. Stored in the job's folder."""

    sessions: tuple[str, ...]
    """The most recent one last."""
    is_elsewhere: bool = True
    """Whether this is a remote visitor, not the owner of the machine."""
    keeps_pictures: bool = False
    """Whether pictures are kept: the owner's uploads, and annotated pictures."""
    keeps_found: bool = True
    """Whether the results are kept."""
    owner: str = ""
    """A hash that all pages of a remote visitor have in common; "" for the owner of the machine."""
    asked: bool = False
    """Whether the job was requested, even if it could not start yet: then it waits to be resumed."""
    waits: bool = False
    """Whether its pictures stay for `WAIT_SECONDS` after it has finished, because nobody has opened it since."""

    def seen_by(self, session: str, has_ended: bool) -> "Claim":
        """Return the claim after a session has opened the job, perhaps another one, perhaps after the job's end."""
        sessions = self.sessions if session in self.sessions else (*self.sessions, session)[-_SESSIONS:]
        return replace(self, sessions=sessions, waits=self.waits and not has_ended)


def claim(folder: Path, claim: Claim) -> None:
    """Store who has opened a job.

    Raises:
        JobError: it cannot be written.
    """
    with file_errors(f"{folder.name} cannot be saved", JobError):
        write_record(folder / VISITOR_NAME, claim)


def claim_of(folder: Path) -> Claim | None:
    """Return who has opened a job; None without a claim, as in jobs of an earlier version's owner."""
    earlier = Claim(()) if (folder / _EARLIER_NAME).exists() else None
    return read_record(folder / VISITOR_NAME, Claim) or earlier


def check_room(data: Path, owner: str, allowed_bytes: float) -> None:
    """Raise JobError if the jobs of all remote visitors exceed the limit, or those of one of them half of it."""
    mine = everybodys = 0
    for folder in {path.parent for name in (VISITOR_NAME, _EARLIER_NAME) for path in data.glob(f"*/*/{name}")}:
        claimed = claim_of(folder)
        if claimed and claimed.is_elsewhere:
            size = size_bytes(folder)
            everybodys += size
            mine += size * (claimed.owner == owner)
    if mine > allowed_bytes / 2 or everybodys > allowed_bytes:
        raise JobError(
            f"expected at most {allowed_bytes / 2**21:,.0f} MB on this machine per visitor, and twice that for "
            f"all, found {mine / 2**20:,.0f} and {everybodys / 2**20:,.0f} MB. Delete earlier jobs, or upload less."
        )


def size_bytes(folder: Path) -> int:
    """Return the size of a folder; files that disappear meanwhile do not count."""
    size = 0
    for file in folder.rglob("*"):
        with suppress(OSError):
            size += file.stat().st_size if file.is_file() else 0
    return size


def forget_left(
    place: Path, kind: Kind[R], uploads_name: str, drawn_name: str, present: Callable[[], Collection[str]]
) -> Iterator[Path]:
    """Delete what is not kept for visitors who have left, unless a job still needs it. Yield the changed folders.

    Jobs that were never requested, and those whose results are not kept, are deleted entirely; from finished jobs, the
    pictures that are not kept are deleted, unless they wait (`Claim.waits`). Uploads of remote visitors are never kept.

    Args:
        place: the folder of the jobs.
        kind: their kind.
        uploads_name: the name of the uploads folder in a job's folder.
        drawn_name: the pattern of annotated pictures in a job's folder.
        present: returns the sessions that are open now; called for each job, since many jobs take long to check.
    """
    for seen in job.views(place, kind):
        claimed = claim_of(seen.folder)
        if seen.active or claimed is None or not set(claimed.sessions).isdisjoint(present()):
            continue
        with suppress(JobError, OSError):  # the next call tries again
            is_lost = seen.state == DAMAGED and claimed.is_elsewhere
            if is_lost or not claimed.keeps_found or not (claimed.asked or job.is_begun(seen.folder)):
                job.delete(seen.folder, kind)
                continue
            going: list[Path] = []
            age_seconds = time.time() - changed_ns(seen.folder / STATUS_NAME) / 1e9
            if seen.state == FINISHED and claimed.waits and age_seconds < WAIT_SECONDS:
                continue
            if seen.state == FINISHED or (seen.state == FAILED and claimed.is_elsewhere):
                if claimed.is_elsewhere or not claimed.keeps_pictures:
                    going += seen.folder.glob(uploads_name)
                if not claimed.keeps_pictures:
                    going += seen.folder.glob(drawn_name)
            for path in going:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            if going:
                yield seen.folder
