"""Where the app keeps runs, data sets and collections; whole paths, as other processes get them."""

from pathlib import Path

from fer import home


def runs_folder() -> Path:
    """Return where training runs are kept."""
    return home.runs_folder().absolute()


def uploads_folder() -> Path:
    """Return where data sets that somebody uploads are kept."""
    return home.data_folder().absolute() / "uploads"


def collections_folder() -> Path:
    """Return where the page for many photos keeps its jobs."""
    return home.data_folder().absolute() / "collections"


def videos_folder() -> Path:
    """Return where the page for videos keeps its jobs."""
    return home.data_folder().absolute() / "videos"
