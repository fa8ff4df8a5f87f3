"""FER+ in Microsoft's folders: FER2013Train, FER2013Valid and FER2013Test, each with PNG files and a label.csv."""

import csv
import math
from pathlib import Path

import numpy as np

from fer.datasets.dataset import FaceDataset
from fer.errors import DatasetError
from fer.labels import FERPLUS

FOLDERS = {"FER2013Train": "train", "FER2013Valid": "validation", "FER2013Test": "test"}
OTHER = ("unknown", "NF")


def matches(path: Path) -> bool:
    """Whether the path looks like this layout."""
    return path.is_dir() and any((path / folder / "label.csv").is_file() for folder in FOLDERS)


def open_path(path: Path) -> FaceDataset:
    """Open the folders.

    Raises:
        DatasetError: a label.csv cannot be read, or has a line that cannot be understood.
    """
    pictures: list[Path] = []
    votes: list[list[float]] = []
    splits: list[str] = []
    for folder, split in FOLDERS.items():
        label_file = path / folder / "label.csv"
        if not label_file.is_file():
            continue
        for number, line in _lines(label_file):
            votes.append(_votes(line, label_file, number))
            pictures.append(path / folder / line[0])
            splits.append(split)
    table = np.array(votes, np.float32).reshape(-1, len(FERPLUS) + len(OTHER))
    return FaceDataset(
        name=f"FER+ ({path.name})",
        labels=FERPLUS,
        votes=table[:, : len(FERPLUS)],
        other_votes=table[:, len(FERPLUS) :],
        splits=np.array(splits),
        pictures=pictures,
    )


def _lines(file: Path) -> list[tuple[int, list[str]]]:
    """Return (number from 1, cells) for each line that is not empty."""
    try:
        with file.open(newline="", encoding="utf-8-sig") as text:
            return [(number, line) for number, line in enumerate(csv.reader(text), start=1) if line]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"expected a table of names and votes, cannot read {file}: {error}") from error


def _votes(line: list[str], file: Path, number: int) -> list[float]:
    try:
        votes = [float(cell) for cell in line[2:]]
        if len(votes) != len(FERPLUS) + len(OTHER) or not all(0 <= vote < math.inf for vote in votes):
            raise ValueError
    except ValueError:
        raise DatasetError(
            f"expected a name, a box and {len(FERPLUS) + len(OTHER)} numbers of votes "
            f"({', '.join((*FERPLUS, *OTHER))}), found {len(line)} columns in line {number} of {file}: "
            f"{','.join(line)[:120]}"
        ) from None
    return votes
