"""Jobs that visitors of the pages make. Each has an ID that cannot be guessed: who has it may see the job."""

import contextlib
import re
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from fer.errors import JobError
from fer.jobs import job
from fer.jobs.job import Kind

KEPT_SECONDS = 7 * 24 * 3600
"""Uploads of visitors who never come back do not fill the disk."""

R = TypeVar("R")


def new_job(place: Path, kind: Kind[R], request: R, is_upload: Callable[[Path, R], bool]) -> Path:
    """Make the folder of a job and return it; uploads that nobody looked after for `KEPT_SECONDS` go.

    `is_upload` says whether the job of a folder and a request keeps what was uploaded.

    Raises:
        JobError: it cannot be made.
    """
    for old in job.views(place, kind):
        ended = not old.active and time.time() - old.created > KEPT_SECONDS
        if ended and old.request and is_upload(old.folder, old.request):
            with contextlib.suppress(JobError):
                job.delete(old.folder, kind)
    folder = place / secrets.token_urlsafe(16)
    job.create(folder, kind, request)
    return folder


def safe_name(name: str) -> str:
    """Return a visitor's name of a file or folder, so that nothing in it can lead elsewhere; empty if none is left."""
    return re.sub(r"[^\w .()-]+", "-", name).strip(" .")
