"""Where the app keeps what it makes; whole paths, as other processes get them."""

from pathlib import Path
from typing import Any

from fer import home
from fer.jobs.job import Kind


def runs_folder() -> Path:
    """Return where training runs are kept."""
    return home.runs_folder().absolute()


def uploads_folder() -> Path:
    """Return where data sets that somebody uploads are kept."""
    return home.data_folder().absolute() / "uploads"


def jobs_folder(kind: Kind[Any]) -> Path:
    """Return where a page keeps its jobs of a kind: many photos in "collections", videos in "videos"."""
    return home.data_folder().absolute() / f"{kind.name}s"
