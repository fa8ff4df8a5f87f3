"""Drawn faces as a data set: no download, no real people, and every label is certain."""

import re
from pathlib import Path

import numpy as np

from fer.datasets.dataset import FaceDataset
from fer.datasets.drawing import NOT_REAL, draw_face
from fer.errors import DatasetError
from fer.labels import FERPLUS

DEFAULT_COUNT = 4000
SEED = 0
_NAME = re.compile(r"synthetic(?::(?P<count>\d+))?")


def is_synthetic(path: Path) -> bool:
    """Whether the path asks for drawn faces: "synthetic", or "synthetic:N", unless a real folder has that name."""
    return _NAME.fullmatch(str(path)) is not None and not path.exists()


def open_synthetic(path: Path) -> FaceDataset:
    """Draw the faces: 80 % train, 10 % validation, 10 % test, all expressions equally often; always the same ones.

    Raises:
        DatasetError: fewer than 80 are requested, which leaves an expression without test pictures.
    """
    match = _NAME.fullmatch(str(path))
    count = int((match and match["count"]) or DEFAULT_COUNT)
    if count < 10 * len(FERPLUS):
        raise DatasetError(f"expected at least {10 * len(FERPLUS)} drawn faces, got {count}: try synthetic:1000.")
    random = np.random.default_rng(SEED)
    classes = np.arange(count) % len(FERPLUS)
    pictures = np.stack([draw_face(FERPLUS[label], random) for label in classes])
    part = (np.arange(count) // len(FERPLUS)) % 10
    splits = np.select([part == 8, part == 9], ["validation", "test"], "train")
    return FaceDataset(
        name=f"drawn faces ({count})",
        labels=FERPLUS,
        votes=np.eye(len(FERPLUS), dtype=np.float32)[classes],
        splits=splits,
        pictures=pictures,
        subjects=np.arange(count).astype(str),  # each is a new person
        notes=(NOT_REAL,),
    )
