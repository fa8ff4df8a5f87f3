"""Make a data set from pictures with one label each, the form of most data sets."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from fer.datasets.dataset import FaceDataset, Progress
from fer.datasets.splits import complete_splits
from fer.errors import DatasetError
from fer.labels import FERPLUS, canonical_label

_SPLITS = {
    "train": ("train", "training", "trainset", "trainingset"),
    "validation": ("val", "valid", "validation", "dev", "valset", "validationset", "publictest"),
    "test": ("test", "testing", "testset", "privatetest"),
}
"""PublicTest and PrivateTest are FER2013's words, as in `fer2013.USAGES`."""
_NOISE = re.compile("[\u2500-\u259f\ufffd\ud800-\udfff]")
"""Box-drawing, replacement and surrogate characters, as in names decoded with the wrong encoding."""


_WORDS_NAMED = 16


class Face(NamedTuple):
    """A picture, its label, and its split and person, "" if unknown."""

    file: Path
    word: str
    split: str = ""
    person: str = ""


def split_of(word: str) -> str:
    """Return the split that a word in any spelling means, or "": "Train_Set" → "train", "PublicTest" → "validation"."""
    plain = re.sub(r"[\W_]+", "", word).lower()
    return next((split for split, words in _SPLITS.items() if plain in words), "")


def open_faces(
    name: str, faces: Sequence[Face], notes: Sequence[str] = (), progress: Progress | None = None
) -> FaceDataset:
    """Make a data set of labeled pictures, merging labels by meaning and adding missing splits.

    Raises:
        DatasetError: there are no pictures, or a word cannot be a label: it has no letter, or a broken encoding.
    """
    spelling: dict[str, str] = {}  # Bored and bored are the same expression
    for word in (face.word for face in faces):
        if not re.search(r"[^\W\d_]", word) or _NOISE.search(word):
            raise DatasetError(
                f"expected the names of expressions in {name}, such as happy, found {word[:40]!a}. Rename it to what "
                "it means."
            )
        label = canonical_label(word)
        spelling.setdefault(label.lower(), label)
    own = [spelling[canonical_label(face.word).lower()] for face in faces]
    labels = tuple(sorted(set(own)))
    meant = {face.word: label for face, label in zip(faces, own, strict=True) if face.word.lower() != label.lower()}
    if meant:
        pairs = [f"{word} → {label}" for word, label in sorted(meant.items())]
        more = f" and {len(pairs) - _WORDS_NAMED} more" * (len(pairs) > _WORDS_NAMED)
        notes = [*notes, f"Words were read as labels: {', '.join(pairs[:_WORDS_NAMED])}{more}."]
    return complete_splits(
        FaceDataset(
            name=name,
            labels=labels,
            votes=np.eye(len(labels), dtype=np.float32)[[labels.index(label) for label in own]],
            splits=np.array([face.split for face in faces]),
            pictures=[face.file for face in faces],
            subjects=np.array([face.person for face in faces]),
            notes=tuple(notes),
        ),
        progress,
    )


def is_sorted_by_expression(path: Path, pictures: Sequence[Path]) -> bool:
    """Whether a folder between the path and one of its pictures has the name of an expression."""
    folders = {file.parent.relative_to(path) for file in pictures}
    return any(canonical_label(part) in FERPLUS for folder in folders for part in folder.parts)
