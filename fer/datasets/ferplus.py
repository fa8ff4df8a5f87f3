"""FER+ in Microsoft's folders: FER2013Train, FER2013Valid and FER2013Test, each with PNG files and a label.csv."""

import csv
import math
from pathlib import Path

import numpy as np

from fer.datasets.dataset import FaceDataset, Progress
from fer.errors import DatasetError
from fer.labels import FERPLUS

KIND = "FER+ folders"
FOLDERS = {"FER2013Train": "train", "FER2013Valid": "validation", "FER2013Test": "test"}
CHOICES = (*FERPLUS, "unknown", "NF")


def matches(path: Path) -> bool:
    """Whether the path looks like this layout."""
    return path.is_dir() and any((path / folder / "label.csv").is_file() for folder in FOLDERS)


def open_path(path: Path, progress: Progress | None = None) -> FaceDataset:
    """Open the folders in a path. There is no search for duplicates, since the splits are given.

    Raises:
        DatasetError: a label.csv cannot be read, or has an invalid line.
    """
    pictures: list[Path] = []
    votes: list[list[float]] = []
    splits: list[str] = []
    for folder, split in FOLDERS.items():
        if (path / folder / "label.csv").is_file():
            for name, choices in _lines(path / folder / "label.csv"):
                votes.append(choices)
                pictures.append(path / folder / name)
                splits.append(split)
    table = np.array(votes, np.float32).reshape(-1, len(CHOICES))
    return FaceDataset(
        name=f"FER+ ({path.name})",
        labels=FERPLUS,
        votes=table[:, : len(FERPLUS)],
        other_votes=table[:, len(FERPLUS) :],
        splits=np.array(splits),
        pictures=pictures,
    )


def _lines(file: Path) -> list[tuple[str, list[float]]]:
    """Return (name, votes for `CHOICES`) for each non-empty line."""
    try:
        with file.open(newline="", encoding="utf-8-sig") as text:
            lines = [(number, line) for number, line in enumerate(csv.reader(text), start=1) if line]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"expected a table of names and votes, but cannot read {file}: {error}") from error
    read = []
    for number, line in lines:
        try:
            votes = [float(cell) for cell in line[2:]]
        except ValueError:
            votes = []
        if len(votes) != len(CHOICES) or not all(0 <= vote < math.inf for vote in votes):
            raise DatasetError(
                f"expected a name, a box and {len(CHOICES)} numbers of votes ({', '.join(CHOICES)}), found "
                f"{len(line)} columns in line {number} of {file}: {','.join(line)[:120]}"
            )
        read.append((line[0], votes))
    return read
