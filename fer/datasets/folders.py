"""Class folders: a folder for each expression, with or without train, validation and test above them."""

import hashlib
import os
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

    Splits that are missing are cut from train: where there are no split folders a tenth of each class for validation
    and a tenth for test, where only validation is missing a tenth for that. A file's name decides, so that new pictures
    hardly move the old ones.

    Raises:
        DatasetError: class folders lie beside split folders.
    """
    spelling: dict[str, str] = {}  # train/Bored and val/bored are one expression
    found = []
    for folder, split in _class_folders(path):
        label = canonical_label(folder.name)
        label = spelling.setdefault(label.lower(), label)
        found += [(file, label, split) for file in _pictures(folder)]
    labels = tuple(sorted({label for _, label, _ in found}))
    classes = np.array([labels.index(label) for _, label, _ in found])
    return FaceDataset(
        name=path.name,
        labels=labels,
        votes=np.eye(len(labels), dtype=np.float32)[classes],
        splits=_complete_splits([file for file, *_ in found], np.array([split for *_, split in found]), classes),
        pictures=[file for file, *_ in found],
    )


def _class_folders(path: Path) -> list[tuple[Path, str]]:
    """Return (folder, split) for each class folder; the split is "" where the layout does not say."""
    subfolders = _visible_folders(path)
    split_folders = [folder for folder in subfolders if folder.name.lower() in SPLIT_WORDS]
    if split_folders:
        beside = [folder.name for folder in subfolders if folder not in split_folders and _pictures(folder)]
        if beside:
            raise DatasetError(
                f"expected either split folders or class folders in {path}, found both: "
                f"{', '.join(folder.name for folder in split_folders)} beside {', '.join(beside[:8])}. Move the class "
                "folders into one called train."
            )
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


def _complete_splits(files: list[Path], splits: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Fill in the splits that the folders do not name."""
    splits = np.where(splits == "", "train", splits).astype("<U10")
    named = set(splits)
    missing = ["validation", "test"] if named == {"train"} else ["validation"] if "validation" not in named else []
    if "train" not in named:
        return splits
    for label in np.unique(classes):
        rows = np.flatnonzero((classes == label) & (splits == "train")).tolist()
        rows.sort(key=lambda row: hashlib.sha256(os.fsencode(files[row].name)).digest())
        share = max(round(HELD_OUT * len(rows)), 1) if len(rows) > len(missing) else 0
        for number, split in enumerate(missing):
            splits[rows[number * share : (number + 1) * share]] = split
    return splits
