"""Faces that the owner of the machine has corrected or confirmed: a data set to train a model with.

FOLDER/
    corrections.csv   a line for each face, read by `fer.datasets.tables`: its picture, its label, the label and the
                      probabilities that the model gave, and the hash of the model
    faces/            the upright square of each face, PNG
    settings.json     whether corrections are collected; they are not until the owner agrees

A picture is written before the line that names it and removed after that line, and the table is replaced as a whole. So
every picture named in the table exists, even after an interruption.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, fields
from hashlib import sha256
from pathlib import Path

import numpy as np
from filelock import FileLock

from fer.errors import ResultsError
from fer.faces import Detection, Face
from fer.files import file_errors, write_atomically
from fer.images import encode_png
from fer.names import from_cell, not_a_formula
from fer.records import from_json, read_record, write_record

TABLE_NAME, FACES_NAME, SETTINGS_NAME = "corrections.csv", "faces", "settings.json"


@dataclass(frozen=True)
class Correction:
    """A person's label for one face, and the model's."""

    path: str
    """The picture of the face in the folder: "faces/KEY.png", where KEY is its `face_key`."""
    label: str
    """The person's label."""
    model_label: str
    """The model's label."""
    model: str
    """`model_sha256` of the model file."""
    probabilities: str
    """The model's probability of each label, 0..1, as JSON: {"anger": 0.1, …}."""

    @property
    def key(self) -> str:
        """The face's `face_key`."""
        return Path(self.path).stem

    @property
    def was_right(self) -> bool:
        """Whether the model's label was confirmed."""
        return self.label == self.model_label


@dataclass(frozen=True)
class _Settings:
    gather: bool


def face_key(face: Detection) -> str:
    """Return a key of a face that is the same in all copies of its result and for all models.

    It is a hash of the bounding box and the landmarks, rounded to a tenth of a pixel. Different pictures practically
    never have faces with all landmarks in the same places.
    """
    points = (*face.box.xyxy, *(value for point in face.landmarks for value in point))
    return sha256(" ".join(f"{value:.1f}" for value in points).encode()).hexdigest()[:24]


def correction_of(face: Face, label: str, model: str) -> Correction:
    """Return a person's label for a face beside the reading of a model, given by its `model_sha256`."""
    probabilities = json.dumps(dict(zip(face.labels, face.probabilities, strict=True)))
    return Correction(f"{FACES_NAME}/{face_key(face)}.png", label, face.label, model, probabilities)


class Corrections:
    """A folder of corrections; several processes may use it at the same time."""

    def __init__(self, folder: Path) -> None:
        """Use a folder, which need not exist."""
        self.folder = folder

    @property
    def gather(self) -> bool | None:
        """Whether the owner wants to collect corrections; None until they have answered."""
        found = read_record(self.folder / SETTINGS_NAME, _Settings)
        return found.gather if found else None

    def set_gather(self, gather: bool) -> None:
        """Store whether the owner wants to collect corrections; existing ones stay.

        Raises:
            ResultsError: it cannot be written.
        """
        with file_errors(f"corrections cannot be kept in {self.folder}", ResultsError):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_record(self.folder / SETTINGS_NAME, _Settings(gather))

    def all(self) -> dict[str, Correction]:
        """Return all corrections by their key, the oldest first.

        Raises:
            ResultsError: the table is damaged, or cannot be read.
        """
        table = self.folder / TABLE_NAME
        if not table.is_file():
            return {}
        with file_errors(f"corrections cannot be read from {table}", ResultsError):
            lines = list(csv.reader(io.StringIO(table.read_text(encoding="utf-8", errors="replace"))))
        names = [field.name for field in fields(Correction)]
        if lines[:1] != [names] or any(len(line) != len(names) for line in lines):
            raise ResultsError(
                f"expected the columns {', '.join(names)} in {table}, found others. Move the file away to start over."
            )
        return {one.key: one for one in (Correction(*map(from_cell, line)) for line in lines[1:])}

    def add(self, correction: Correction, crop: np.ndarray) -> None:
        """Store a correction, replacing an earlier one of the same face.

        Args:
            correction: the return value of `correction_of`.
            crop: the upright square of the face, RGB uint8 (side, side, 3).

        Raises:
            ResultsError: it cannot be written, or the table is damaged.
        """
        with file_errors(f"corrections cannot be kept in {self.folder}", ResultsError):
            (self.folder / FACES_NAME).mkdir(mode=0o700, parents=True, exist_ok=True)
            with FileLock(self.folder / ".lock"):
                write_atomically(self.folder / correction.path, encode_png(crop))
                self._write({**self.all(), correction.key: correction}.values())

    def remove(self, keys: Iterable[str]) -> None:
        """Remove corrections with their pictures; unknown keys are ignored.

        Raises:
            ResultsError: the corrections cannot be removed, or the table is damaged.
        """
        with file_errors(f"corrections cannot be removed from {self.folder}", ResultsError):
            if not (self.folder / TABLE_NAME).is_file():
                return
            with FileLock(self.folder / ".lock"):
                found = self.all()
                gone = [found.pop(key) for key in keys if key in found]
                self._write(found.values())
                for one in gone:
                    (self.folder / one.path).unlink(missing_ok=True)

    def _write(self, corrections: Iterable[Correction]) -> None:
        text = io.StringIO()
        table = csv.writer(text)
        table.writerow(field.name for field in fields(Correction))
        table.writerows(map(not_a_formula, astuple(one)) for one in corrections)
        write_atomically(self.folder / TABLE_NAME, text.getvalue())


def times_right(corrections: Mapping[str, Correction], weights: str, labels: Iterable[str]) -> tuple[int, int]:
    """Return how many of the corrected or confirmed faces a model labeled correctly, and how many there are.

    Args:
        corrections: the corrections by their key.
        weights: the hash of the model's weights, which other model files may share, see `model_sha256`.
        labels: the labels of the model.

    Raises:
        ResultsError: the probabilities in the table cannot be read.
    """
    own, named = [one for one in corrections.values() if weights in one.model.split()], set(labels)
    try:
        judged = [one.was_right for one in own if set(from_json(one.probabilities, dict[str, float])) == named]
    except ValueError as error:
        raise ResultsError(
            f"expected probabilities as JSON in {TABLE_NAME}: {error}. Move the file away to start over."
        ) from error
    return sum(judged), len(judged)
