"""Class folders: a folder for each expression, with or without train, validation and test above them.

CK+48 is such a data set; the names of its files (S010_004_00000017.png) tell who is on the picture.
"""

from pathlib import Path

import numpy as np

from fer.datasets.ckplus import subject_of
from fer.datasets.dataset import FaceDataset, Progress
from fer.datasets.splits import complete_splits
from fer.errors import DatasetError
from fer.files import visible
from fer.images import IMAGE_SUFFIXES
from fer.labels import canonical_label

SPLIT_WORDS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}


def matches(path: Path) -> bool:
    """Whether the path looks like this layout."""
    return path.is_dir() and any(_pictures(folder) for folder, _ in _class_folders(path))


def open_path(path: Path, progress: Progress | None = None) -> FaceDataset:
    """Open the folders in a path. Splits that are missing are cut from train, see `complete_splits`.

    Raises:
        DatasetError: class folders lie beside split folders.
    """
    spelling: dict[str, str] = {}  # train/Bored and val/bored are one expression
    found = []
    notes = []
    for folder, split in _class_folders(path):
        files = _pictures(folder)
        if not files:
            notes.append(f"The folder {folder.relative_to(path)} holds no pictures and was left out.")
            continue
        label = canonical_label(folder.name)
        label = spelling.setdefault(label.lower(), label)
        found += [(file, label, split) for file in files]
    labels = tuple(sorted({label for _, label, _ in found}))
    return complete_splits(
        FaceDataset(
            name=path.name,
            labels=labels,
            votes=np.eye(len(labels), dtype=np.float32)[[labels.index(label) for _, label, _ in found]],
            splits=np.array([split for *_, split in found]),
            pictures=[file for file, *_ in found],
            subjects=np.array([subject_of(file.name) for file, *_ in found]),
            notes=tuple(notes),
        ),
        progress,
    )


def _class_folders(path: Path) -> list[tuple[Path, str]]:
    """Return (folder, split) for each class folder; the split is "" where the layout does not say."""
    subfolders = list(filter(Path.is_dir, visible(path)))
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
            for folder in filter(Path.is_dir, visible(above))
        ]
    return [(folder, "") for folder in subfolders]


def _pictures(folder: Path) -> list[Path]:
    return [file for file in visible(folder) if file.suffix.lower() in IMAGE_SUFFIXES and file.is_file()]
