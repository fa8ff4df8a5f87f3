"""FER+ in Microsoft's folders: FER2013Train, FER2013Valid and FER2013Test, each with PNG files and a label.csv."""

import csv
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
        DatasetError: a label.csv has a line that cannot be understood.
    """
    pictures: list[Path] = []
    votes: list[list[float]] = []
    splits: list[str] = []
    for folder, split in FOLDERS.items():
        label_file = path / folder / "label.csv"
        if not label_file.is_file():
            continue
        with label_file.open(newline="", encoding="utf-8-sig") as file:
            for number, line in enumerate(csv.reader(file), start=1):
                if not line:
                    continue
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


def _votes(line: list[str], file: Path, number: int) -> list[float]:
    try:
        votes = [float(cell) for cell in line[2:]]
        if len(votes) != len(FERPLUS) + len(OTHER) or min(votes) < 0:
            raise ValueError
    except ValueError:
        raise DatasetError(
            f"expected a name, a box and {len(FERPLUS) + len(OTHER)} numbers of votes ({', '.join((*FERPLUS, *OTHER))}), "
            f"found {len(line)} columns in line {number} of {file}: {','.join(line)[:120]}"
        ) from None
    return votes
