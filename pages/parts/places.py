"""Where the app keeps runs, data sets and collections."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass

RUNS_VARIABLE, DATA_VARIABLE = "FER_RUNS", "FER_DATA"
"""Environment variables with other folders than runs/ and data/."""


def runs_folder() -> Path:
    """Return where training runs are kept."""
    return Path(os.environ.get(RUNS_VARIABLE) or "runs").absolute()


def uploads_folder() -> Path:
    """Return where data sets that somebody uploads are kept."""
    return Path(os.environ.get(DATA_VARIABLE) or "data").absolute() / "uploads"


def collections_folder() -> Path:
    """Return where the page for many photos keeps its jobs."""
    return Path(os.environ.get(DATA_VARIABLE) or "data").absolute() / "collections"
