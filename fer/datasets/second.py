"""Second labels: those that another data set has for the same pictures.

FER+ relabeled the pictures of FER2013: the votes of ten raters and the search word of a picture are two readings of
it. Any two data sets of the same pictures will do.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fer.datasets import FaceDataset, fer2013, open_dataset, places_of
from fer.datasets.duplicates import CORRELATION, small_version
from fer.errors import DatasetError, ImageError

_NUMBER = re.compile(r"fer(\d{7})")
"""FER+'s file names: the row in fer2013.csv, from 0."""
_SAMPLE = 40
"""Number of pictures that are compared before their numbers are trusted."""


@dataclass(frozen=True, eq=False)
class SecondLabels:
    """Another data set's labels for N pictures."""

    labels: tuple[str, ...] = ()
    """K labels."""
    shares: np.ndarray | None = None
    """float32 (N, K): rows sum to 1, or to 0 if there is no label, or contradictory ones."""
    source: str = ""
    """The other data set's name."""

    def of(self, rows: np.ndarray) -> np.ndarray:
        """Return the shares of these rows, float32 (n, K)."""
        return np.zeros((len(rows), 0), np.float32) if self.shares is None else self.shares[rows]

    def fingerprint(self, dataset: FaceDataset) -> str:
        """Return a hash of a data set with these labels; the data set's own one if there are none."""
        own = dataset.fingerprint()
        if self.shares is None:
            return own
        labels = "\0".join((own, *self.labels)).encode()
        return hashlib.sha256(labels + np.ascontiguousarray(self.shares).tobytes()).hexdigest()


NO_SECOND = SecondLabels()


def find_second(datasets: Sequence[str], given: str) -> Path:
    """Return the path of the second labels: the given data set, or fer2013.csv in or beside a data set.

    Raises:
        DatasetError: there is none.
    """
    if given:
        return Path(given)
    for path in map(Path, datasets):
        for place in (*places_of(path), path.parent) if path.exists() else ():
            if place.suffix.lower() == ".csv" or (place.is_dir() and fer2013.matches(place)):
                return place
    raise DatasetError(
        f"expected the second labels in fer2013.csv, in or beside {' or '.join(datasets)}, found none. Give the "
        "data set that has them: --second-dataset."
    )


def second_labels(dataset: FaceDataset, place: Path) -> SecondLabels:
    """Return the labels that the data set at a path has for the pictures of this one.

    Raises:
        DatasetError: it cannot be opened, or has none of these pictures.
    """
    table = next((one for one in places_of(place) if fer2013.matches(one)), None)
    other = fer2013.open_path(table, rated=False) if table else open_dataset(place)
    shares, keys = np.zeros((len(other), len(other.labels)), np.float32), np.array(_keys(other))
    valid = other.rows()
    shares[valid] = other.distributions(valid)
    where = _by_number(dataset, other)
    if where is None:
        rows = {key: row for row, key in enumerate(keys)}
        where = np.array([rows.get(key, -1) if key else -1 for key in _keys(dataset)])
    if not (where >= 0).any():
        raise DatasetError(
            f"expected the pictures of {dataset.name} in {other.name} at {place}, found none of them. Choose a data "
            "set of the same pictures for the second labels."
        )
    shares[_contradicted(keys, shares)] = 0
    return SecondLabels(other.labels, np.where(where[:, None] >= 0, shares[where], 0), other.name)


def kaggle_numbers(dataset: FaceDataset) -> np.ndarray | None:
    """Return the row of each picture in Kaggle's fer2013.csv, int (N,): from its name, or in that file itself.

    None if the pictures have no such numbers.
    """
    if isinstance(dataset.pictures, np.ndarray):
        return np.arange(len(dataset))
    found = [_NUMBER.fullmatch(picture.stem) if isinstance(picture, Path) else None for picture in dataset.pictures]
    return np.array([int(match[1]) for match in found if match]) if all(found) else None


def _by_number(dataset: FaceDataset, other: FaceDataset) -> np.ndarray | None:
    """Return the row of each picture in the other data set, -1 for none; None if the numbers do not correspond."""
    numbers, others = kaggle_numbers(dataset), kaggle_numbers(other)
    if numbers is None or others is None:
        return None
    rows = {number: row for row, number in enumerate(others.tolist())}
    where = np.array([rows.get(number, -1) for number in numbers.tolist()])
    known = np.flatnonzero(where >= 0)
    sample = known[:: max(len(known) // _SAMPLE, 1)]
    return where if len(sample) and all(_alike(dataset, row, other, where[row]) for row in sample) else None


def _alike(dataset: FaceDataset, row: int, other: FaceDataset, other_row: int) -> bool:
    try:
        one, two = small_version(dataset.picture(row)), small_version(other.picture(other_row))
    except ImageError:
        return True  # training names broken pictures
    return bool(np.array_equal(one, two) or np.corrcoef(one.ravel(), two.ravel())[0, 1] >= CORRELATION)


def _keys(dataset: FaceDataset) -> list[str]:
    """Return a hash of each picture's pixels; "" for a broken one."""
    return [
        "" if isinstance(picture, ImageError) else f"{picture.shape}{hashlib.sha256(picture.tobytes()).hexdigest()}"
        for _, picture in dataset.read(np.arange(len(dataset)))
    ]


def _contradicted(keys: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Return which pictures have duplicates with another label, bool (N,)."""
    group = np.unique(keys, return_inverse=True)[1]
    named = np.zeros((group.max() + 1, shares.shape[1]), bool)
    rated = np.flatnonzero(shares.any(axis=1))
    named[group[rated], shares[rated].argmax(axis=1)] = True
    return np.asarray(named.sum(axis=1)[group] > 1)
