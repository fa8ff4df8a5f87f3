"""AffectNet (Mollahosseini et al. 2017): pictures, each with a label file beside it.

    train_set/images/0.jpg     train_set/annotations/0_exp.npy      one number
    val_set/images/0.jpg       val_set/annotations/0_exp.npy

Its test pictures were never released. Its table (subDirectory_filePath, expression) is one of `fer.datasets.tables`.
"""

from pathlib import Path

from fer.datasets.dataset import FaceDataset, Progress
from fer.datasets.labeled import Face, open_faces
from fer.errors import DatasetError
from fer.files import read_arrays
from fer.images import list_images

KIND = "AffectNet"
FOLDERS = {"train_set": "train", "val_set": "validation"}
CODES = dict(enumerate(("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt")))
"""8 is none of them, 9 uncertain, 10 no face."""


def matches(path: Path) -> bool:
    """Whether the path looks like this layout."""
    return any((path / folder / "annotations").is_dir() for folder in FOLDERS)


def open_path(path: Path, progress: Progress | None = None) -> FaceDataset:
    """Open the folders in a path. Pictures without one of the eight expressions are left out.

    Raises:
        DatasetError: no picture has a label, or a label file cannot be read.
    """
    faces, unlabeled, other = [], 0, 0
    homes = {path / folder: split for folder, split in FOLDERS.items() if (path / folder / "images").is_dir()}
    pictures = [(home, picture) for home in homes for picture in list_images([home / "images"])]
    for done, (home, picture) in enumerate(pictures, start=1):
        annotation = home / "annotations" / f"{picture.stem}_exp.npy"
        if not annotation.is_file():
            unlabeled += 1
        elif word := CODES.get(_code(annotation)):
            faces.append(Face(picture, word, homes[home]))
        else:
            other += 1
        if progress:
            progress(done, len(pictures))
    if not faces:
        raise DatasetError(
            f"expected pictures in {path}/train_set/images and files like annotations/0_exp.npy beside them, found "
            f"{unlabeled} pictures without a label. Unpack both folders there."
        )
    notes = [f"{unlabeled:,} pictures without a file in annotations were left out."] if unlabeled else []
    notes += (
        [f"{other:,} pictures without an expression, with an uncertain one or no face were left out."] if other else []
    )
    return open_faces(f"AffectNet ({path.name})", faces, notes, progress)


def _code(file: Path) -> int:
    try:
        return int(str(read_arrays(file)[""]))  # a number, or a number as text
    except (ValueError, OSError, KeyError) as error:
        raise DatasetError(
            f"expected the number of an expression in {file}: {error}. Copy it from AffectNet again."
        ) from error
