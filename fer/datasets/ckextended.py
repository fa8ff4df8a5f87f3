"""Kaggle's ckextended.csv: 920 faces of CK+ with the columns of fer2013.csv, but eight classes in another order."""

from pathlib import Path

import numpy as np

from fer.datasets.dataset import FaceDataset, Progress
from fer.datasets.fer2013 import read_classes, read_pictures, read_table
from fer.datasets.splits import complete_splits
from fer.labels import FER2013

NAME = "ckextended.csv"
LABELS = (*FER2013, "contempt")
"""In the order of the file's class numbers 0 to 7."""


def matches(path: Path) -> bool:
    """Whether the path looks like this layout: only the name tells it from fer2013.csv."""
    return path.name.lower() == NAME if path.is_file() else (path / NAME).is_file()


def open_path(path: Path, progress: Progress | None = None) -> FaceDataset:
    """Open the file, or the folder that holds it.

    Its own split (the column Usage) was drawn by chance over pictures of the same few people, so a new one is made that
    at least keeps copies together. Who is on a picture is not in the file.

    Args:
        path: the file or its folder.
        progress: called with (done, total) while pictures are compared, to find copies.

    Raises:
        DatasetError: a column is missing, a line has another number of pixels, a class is unknown.
    """
    file = path if path.is_file() else path / NAME
    table = read_table(file, ("emotion", "pixels"))
    classes = read_classes(file, table["emotion"], len(LABELS))
    return complete_splits(
        FaceDataset(
            name=f"CK+ ({file.name})",
            labels=LABELS,
            votes=np.eye(len(LABELS), dtype=np.float32)[classes],
            splits=np.full(len(table), ""),
            pictures=read_pictures(file, table["pixels"]),
            notes=(
                f"{file.name} does not say who is on a picture: the same person may stand on both sides of a split. "
                "Use the CK+48 folders or the official CK+ for figures about people never seen.",
            ),
        ),
        progress,
    )
