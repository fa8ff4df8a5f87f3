"""My corrections: what the owner of the machine said of faces, with their pictures; a data set to teach a model with.

FOLDER/
    corrections.csv   a line for each face, which `fer.datasets.tables` reads: its picture and what it shows, and what
                      which model had said of it, how probable each label was, and when
    faces/            the upright square of each face, PNG
    settings.json     whether corrections gather here; nothing does before the owner says so

A picture is written before the line that names it and removed after it, the table is replaced as a whole: whatever
interrupts that, the table names pictures that are there.
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
from fer.records import from_json, read_record, write_record

TABLE_NAME, FACES_NAME, SETTINGS_NAME = "corrections.csv", "faces", "settings.json"


@dataclass(frozen=True)
class Correction:
    """What somebody said of one face."""

    path: str
    """Its picture, in the folder: "faces/KEY.png"; KEY is the face's `face_key`."""
    label: str
    """What it shows."""
    model_label: str
    """What the model had said."""
    model: str
    """`model_sha256` of the model file."""
    probabilities: str
    """What the model had said of each label, as JSON: {"anger": 0.1, …}."""

    @property
    def key(self) -> str:
        """The face's `face_key`."""
        return Path(self.path).stem

    @property
    def was_right(self) -> bool:
        """Whether the model had said the same."""
        return self.label == self.model_label


@dataclass(frozen=True)
class _Settings:
    gather: bool


def face_key(face: Detection) -> str:
    """Return what tells a face from all others, in whichever copy of its result, and whatever model named it.

    It is made of where the face lies, to a tenth of a pixel: no two pictures that differ have a face with all its
    landmarks in the same places.
    """
    points = (*face.box.xyxy, *(value for point in face.landmarks for value in point))
    return sha256(" ".join(f"{value:.1f}" for value in points).encode()).hexdigest()[:24]


def correction_of(face: Face, label: str, model: str) -> Correction:
    """Return that somebody said that a face shows a label, and what a model, by its `model_sha256`, had said."""
    probabilities = json.dumps(dict(zip(face.labels, face.probabilities, strict=True)))
    return Correction(f"{FACES_NAME}/{face_key(face)}.png", label, face.label, model, probabilities)


class Corrections:
    """A folder of corrections; processes may use it at once."""

    def __init__(self, folder: Path) -> None:
        """Look at a folder, which need not be there."""
        self.folder = folder

    @property
    def gather(self) -> bool | None:
        """Whether the owner wants them to gather; None while nobody was asked."""
        found = read_record(self.folder / SETTINGS_NAME, _Settings)
        return found.gather if found else None

    def set_gather(self, gather: bool) -> None:
        """Write down what the owner wants; what is there stays.

        Raises:
            ResultsError: it cannot be written.
        """
        with file_errors(f"corrections cannot be kept in {self.folder}", ResultsError):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_record(self.folder / SETTINGS_NAME, _Settings(gather))

    def all(self) -> dict[str, Correction]:
        """Return all of them by their key, the oldest first.

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
            raise ResultsError(f"expected the columns {', '.join(names)} in {table}. Move it away to begin anew.")
        return {one.key: one for one in (Correction(*line) for line in lines[1:])}

    def add(self, correction: Correction, crop: np.ndarray) -> None:
        """Keep a correction in place of an earlier one of its face.

        Args:
            correction: as `correction_of` returns it.
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
        """Forget corrections, pictures and all; what is not there is gone already.

        Raises:
            ResultsError: they cannot be removed, or the table is damaged.
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
        table.writerows(map(astuple, corrections))
        write_atomically(self.folder / TABLE_NAME, text.getvalue())


def times_right(corrections: Mapping[str, Correction], weights: str, labels: Iterable[str]) -> tuple[int, int]:
    """Return how often a model was right about faces that somebody judged, and of how many.

    Args:
        corrections: what was said.
        weights: the hash of the model's weights, which another model may have, too, see `model_sha256`.
        labels: those that the model has.

    Raises:
        ResultsError: what a model had said cannot be read.
    """
    own, named = [one for one in corrections.values() if weights in one.model.split()], set(labels)
    try:
        judged = [one.was_right for one in own if set(from_json(one.probabilities, dict[str, float])) == named]
    except ValueError as error:
        raise ResultsError(f"expected probabilities as JSON in {TABLE_NAME}: {error}. Move it away.") from error
    return sum(judged), len(judged)
