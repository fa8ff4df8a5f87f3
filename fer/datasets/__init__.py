"""Data sets of faces, recognized by looking at the path.

FER+ folders     FER2013Train/label.csv, FER2013Valid, FER2013Test (Microsoft's layout)
fer2013.csv      Kaggle's file, or the folder that holds it; with fer2013new.csv beside it, the FER+ votes
class folders    angry/*.jpg, happy/*.jpg, …, with or without train, validation and test above them
synthetic        drawn faces; "synthetic:2000" for that many
"""

import os
from pathlib import Path

from fer.datasets.dataset import FaceDataset
from fer.errors import DatasetError

__all__ = ["FaceDataset", "open_dataset"]


def open_dataset(path: str | os.PathLike[str]) -> FaceDataset:
    """Open a data set; see the module's text for the layouts.

    Raises:
        DatasetError: there is nothing at the path, nothing of a known layout, or nothing that may be read.
    """
    try:
        return _open(Path(path))
    except OSError as error:
        raise DatasetError(f"expected a data set that can be read, found {error}. Check the path.") from error


def _open(path: Path) -> FaceDataset:
    # Here, as pages import the drawing beside them and pandas would cost these half a second.
    from fer.datasets import fer2013, ferplus, folders, synthetic

    if synthetic.is_synthetic(path):
        return synthetic.open_synthetic(path)
    if not path.exists():
        raise DatasetError(
            f"expected a data set at {path}, found nothing. Check the path, or write synthetic for drawn faces."
        )
    for layout in (ferplus, fer2013, folders):
        if layout.matches(path):
            return layout.open_path(path)
    raise DatasetError(
        f"expected one of these at {path}: FER2013Train/label.csv (FER+), fer2013.csv (Kaggle), or a folder for each "
        f"expression with pictures in it. Found: {_listing(path)}."
    )


def _listing(path: Path) -> str:
    if path.is_file():
        return f"the file {path.name}"
    names = sorted(entry.name + ("/" if entry.is_dir() else "") for entry in path.iterdir())
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "") or "an empty folder"
