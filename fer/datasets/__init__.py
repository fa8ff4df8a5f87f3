"""Data sets of faces, recognized by looking at the path.

FER+ folders     FER2013Train/label.csv, FER2013Valid, FER2013Test (Microsoft's layout)
fer2013.csv      Kaggle's file, or the folder that holds it; with fer2013new.csv beside it, the FER+ votes
CK+              cohn-kanade-images/, Emotion/ and Landmarks/ (the official trees); "PATH:neutral" takes the first
                 frame of each sequence, too, as neutral
CK+48            anger/S010_004_00000017.png, happy/, …: class folders whose names tell the people
ckextended.csv   Kaggle's file of CK+
class folders    angry/*.jpg, happy/*.jpg, …, with or without train, validation and test above them
synthetic        drawn faces; "synthetic:2000" for that many

Each may lie in a ZIP, and in a folder or two that hold nothing else. Splits that a data set does not bring along are
made, see `fer.datasets.splits`.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from fer.datasets.dataset import FaceDataset, Progress
from fer.errors import DatasetError
from fer.files import visible

__all__ = ["FaceDataset", "open_dataset", "open_datasets"]

NEUTRAL = ":neutral"
_DEEPEST = 3
"""How many folders with a single folder in them are looked into."""


def open_dataset(path: str | os.PathLike[str], progress: Progress | None = None) -> FaceDataset:
    """Open a data set; see the module's text for the layouts, and `Progress`.

    Raises:
        DatasetError: there is nothing at the path, nothing of a known layout, or nothing that may be read.
    """
    try:
        return _open(Path(path), progress)
    except OSError as error:
        raise DatasetError(f"expected a data set that can be read, found {error}. Check the path.") from error


def open_datasets(paths: Sequence[str | os.PathLike[str]], progress: Progress | None = None) -> FaceDataset:
    """Open one data set or several as one; see `fer.datasets.joining`.

    Raises:
        DatasetError: one of them cannot be opened, none is given, or one twice.
    """
    from fer.datasets.joining import join

    if not paths:
        raise DatasetError("expected at least one data set, got none. Give a path, or synthetic for drawn faces.")
    places = [Path(path).resolve() for path in paths]
    twice = sorted({str(place) for place in places if places.count(place) > 1})
    if twice:
        raise DatasetError(f"expected different data sets, got {', '.join(twice)} more than once. Name it once.")
    return join([open_dataset(path, progress) for path in paths], progress)


def _open(path: Path, progress: Progress | None) -> FaceDataset:
    # Here, as pages import the drawing beside them and pandas would cost these half a second.
    from fer.datasets import ckplus, fer2013, ferplus, folders, synthetic

    if synthetic.is_synthetic(path):
        return synthetic.open_synthetic(path)
    wants_neutral = path.name.endswith(NEUTRAL) and not path.exists()
    if wants_neutral:
        path = path.with_name(path.name.removesuffix(NEUTRAL))
    if not path.exists():
        raise DatasetError(
            f"expected a data set at {path}, found nothing. Check the path, or write synthetic for drawn faces."
        )
    for folder in places_of(path):
        if wants_neutral and ckplus.matches(folder):
            return ckplus.open_path(folder, progress, neutral=True)
        for layout in () if wants_neutral else (ferplus, fer2013, ckplus, folders):
            if layout.matches(folder):
                return layout.open_path(folder, progress)
    if wants_neutral:
        raise DatasetError(
            f"expected the official trees of CK+ (cohn-kanade-images, Emotion) at {path}, as {NEUTRAL} takes the first "
            f"frames of their sequences; found {_listing(_unpacked(path))}. Leave {NEUTRAL} out."
        )
    raise DatasetError(
        f"expected one of these at {path}: FER2013Train/label.csv (FER+), fer2013.csv (Kaggle), cohn-kanade-images and "
        "Emotion (CK+), ckextended.csv, or a folder for each expression with pictures in it; or a ZIP of one. "
        f"Found: {_listing(_unpacked(path))}."
    )


def _unpacked(path: Path) -> Path:
    """Return the folder that a ZIP was unpacked to; of anything else the path itself."""
    from fer.datasets import archive

    return archive.unpack(path) if path.is_file() and path.suffix.lower() == ".zip" else path


def places_of(path: Path) -> list[Path]:
    """Return where a data set's files may lie: in a ZIP, and in a folder or two that hold nothing else."""
    places = [_unpacked(path)] if path.exists() else []
    while places and places[-1].is_dir() and len(places) <= _DEEPEST:
        inside = visible(places[-1])
        if len(inside) != 1:
            break
        places.append(inside[0])
    return places


def _listing(path: Path) -> str:
    if path.is_file():
        return f"the file {path.name}"
    names = sorted(entry.name + ("/" if entry.is_dir() else "") for entry in path.iterdir())
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "") or "an empty folder"
