"""Class folders: a folder for each expression, with or without train, validation and test above them."""

from pathlib import Path

import numpy as np

from fer.datasets.dataset import FaceDataset
from fer.errors import DatasetError
from fer.images import IMAGE_SUFFIXES
from fer.labels import canonical_label

SPLIT_WORDS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}
HELD_OUT = 0.1
"""Share of each class that becomes the validation split, and the test split, where the folders name none."""


def matches(path: Path) -> bool:
    """Whether the path looks like this layout."""
    return path.is_dir() and bool(_class_folders(path))


def open_path(path: Path) -> FaceDataset:
    """Open the folders.

    Splits that are missing are cut from train, the same pictures every time: where there are no split folders a tenth
    of each class for validation and a tenth for test, where only validation is missing a tenth for that.

    Raises:
        DatasetError: fewer than two expressions have pictures.
    """
    found = [
        (file, canonical_label(folder.name), split)
        for folder, split in _class_folders(path)
        for file in _pictures(folder)
    ]
    labels = tuple(sorted({label for _, label, _ in found}))
    if len(labels) < 2:
        raise DatasetError(
            f"expected at least two folders with pictures in {path}, one for each expression, found {len(labels)}: "
            f"{', '.join(labels)}."
        )
    classes = np.array([labels.index(label) for _, label, _ in found])
    return FaceDataset(
        name=path.name,
        labels=labels,
        votes=np.eye(len(labels), dtype=np.float32)[classes],
        splits=_complete_splits(np.array([split for *_, split in found]), classes),
        pictures=[file for file, *_ in found],
    )


def _class_folders(path: Path) -> list[tuple[Path, str]]:
    """Return (folder, split) for each class folder; the split is "" where the layout does not say."""
    subfolders = _visible_folders(path)
    split_folders = [folder for folder in subfolders if folder.name.lower() in SPLIT_WORDS]
    if split_folders:
        return [
            (folder, SPLIT_WORDS[above.name.lower()])
            for above in split_folders
            for folder in _visible_folders(above)
            if _pictures(folder)
        ]
    return [(folder, "") for folder in subfolders if _pictures(folder)]


def _visible_folders(path: Path) -> list[Path]:
    return sorted(entry for entry in path.iterdir() if entry.is_dir() and not entry.name.startswith((".", "__")))


def _pictures(folder: Path) -> list[Path]:
    return sorted(
        file
        for file in folder.iterdir()
        if file.suffix.lower() in IMAGE_SUFFIXES and not file.name.startswith(".") and file.is_file()
    )


def _complete_splits(splits: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Fill in the splits that the folders do not name."""
    splits = np.where(splits == "", "train", splits).astype("<U10")
    named = set(splits)
    missing = ["validation", "test"] if named == {"train"} else ["validation"] if "validation" not in named else []
    if "train" not in named:
        return splits
    random = np.random.default_rng(0)
    for label in np.unique(classes):
        rows = random.permutation(np.flatnonzero((classes == label) & (splits == "train")))
        share = max(round(HELD_OUT * len(rows)), 1) if len(rows) > len(missing) else 0
        for number, split in enumerate(missing):
            splits[rows[number * share : (number + 1) * share]] = split
    return splits
