"""Whose jobs are those of visitors from elsewhere, how much room they may take, and what goes when one has left."""

import contextlib
import shutil
from collections.abc import Collection
from pathlib import Path
from typing import TypeVar

from fer.errors import JobError
from fer.files import file_errors
from fer.jobs import job
from fer.jobs.job import PROCESS_NAME, Kind
from fer.jobs.status import DAMAGED, FAILED, FINISHED, STATUS_NAME

VISITOR_NAME = "visitor.txt"
"""In the folder of a job: which session of a visitor from elsewhere looked at it last. Jobs of the owner have none."""

R = TypeVar("R")


def claim(folder: Path, session: str) -> None:
    """Write down whose job this is: a visitor's from elsewhere.

    Raises:
        JobError: it cannot be written.
    """
    with file_errors(f"{folder.name} cannot be kept", JobError):
        (folder / VISITOR_NAME).write_text(session, encoding="utf-8")


def is_claimed(folder: Path) -> bool:
    """Whether a job is a visitor's from elsewhere."""
    return (folder / VISITOR_NAME).exists()


def check_room(data: Path, session: str, allowed_bytes: float) -> None:
    """Raise JobError where jobs of visitors from elsewhere are larger than allowed, or those of one than half of it."""
    mine = everybodys = 0
    for mark in data.glob(f"*/*/{VISITOR_NAME}"):
        with contextlib.suppress(FileNotFoundError):  # others are deleted meanwhile
            size = sum(file.stat().st_size for file in mark.parent.rglob("*") if file.is_file())
            everybodys += size
            mine += size * (mark.read_bytes() == session.encode())
    if mine > allowed_bytes / 2 or everybodys > allowed_bytes:
        raise JobError(
            f"expected at most {allowed_bytes / 2**21:,.0f} MB on this machine for each visitor, and twice that for "
            f"all, found {mine / 2**20:,.0f} and {everybodys / 2**20:,.0f} MB. Delete earlier ones, or upload less."
        )


def forget_left(place: Path, kind: Kind[R], uploads_name: str, present: Collection[str]) -> None:
    """Remove what visitors from elsewhere uploaded who have left. What a job still needs stays, and so do results.

    Args:
        place: where jobs are kept.
        kind: of the jobs.
        uploads_name: what the folder of uploads is called in that of a job.
        present: the sessions of all who are there.
    """
    for seen in job.views(place, kind):
        with contextlib.suppress(JobError, OSError):  # the next look tries again
            if seen.active or (seen.folder / VISITOR_NAME).read_text(errors="replace") in present:
                continue
            begun = (seen.folder / PROCESS_NAME).exists() or (seen.folder / STATUS_NAME).exists()
            if not begun or seen.state == DAMAGED:
                job.delete(seen.folder, kind)
            elif seen.state in (FINISHED, FAILED) and (seen.folder / uploads_name).exists():
                shutil.rmtree(seen.folder / uploads_name)
