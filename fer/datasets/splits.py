"""Split a data set into training, validation and test pictures; folds for cross-validation.

Nobody is in two splits: if the people are known, all pictures of one stay together; otherwise duplicates do. Existing
splits are kept.
"""

import hashlib
import os
import warnings
from dataclasses import replace

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from fer.datasets.dataset import FaceDataset, Progress
from fer.datasets.duplicates import connected_groups, find_copies, small_versions
from fer.errors import DatasetError

HELD_OUT = 0.1
"""Share of each class for the validation split, and for the test split, if the data set has none."""
FEWEST_SUBJECTS = 3
"""With fewer people nobody is left for validation or test."""


def complete_splits(dataset: FaceDataset, progress: Progress | None = None) -> FaceDataset:
    """Add the splits that a data set lacks, which are "" in it.

    Without any split, a tenth each is used for validation and test; without validation only, a tenth of train. Pictures
    are assigned by person if the people are known; otherwise by file name, so that new pictures hardly change the old
    assignment. The function is idempotent.
    """
    splits = np.where(dataset.splits == "", "train", dataset.splits).astype("<U10")
    named = set(dataset.splits.tolist()) - {""}
    if "validation" in named or not ({"train", ""} & set(dataset.splits.tolist())):
        return replace(dataset, splits=splits)
    rows = np.flatnonzero(splits == "train")
    missing = ["validation"] if "test" in named else ["validation", "test"]
    part = dataset.take(rows)
    known = part.knows_everybody
    splits[rows] = _cut_by_subject(part, missing) if known else _cut_by_name(part, missing, progress)
    apart = "nobody is in two splits" if known else "no duplicates are in two splits"
    note = f"It has no {' or '.join(missing)} split: a tenth of train was used for each, so that {apart}."
    return replace(dataset, splits=splits, notes=(*dataset.notes, note))


def folds(dataset: FaceDataset, n: int = 10, progress: Progress | None = None) -> list[FaceDataset]:
    """Split a data set n ≥ 3 times for cross-validation: each picture is tested on once.

    In the k-th split, the k-th part of n is test, the next one validation, the rest train; each has about the same
    share of every class. People stay together, or duplicates if people are unknown. The same pictures give the same
    folds. The data set's own splits are ignored.

    Raises:
        DatasetError: there are fewer people, or fewer distinct pictures, than folds, or n < 3.
    """
    if n < 3:
        raise DatasetError(f"expected at least 3 folds (train, validation, test), got {n}. Use more.")
    fold_of = _assign(dataset, groups(dataset, progress), n)
    parts = []
    for number in range(n):
        splits = np.select([fold_of == number, fold_of == (number + 1) % n], ["test", "validation"], "train")
        parts.append(replace(dataset, name=f"{dataset.name}, fold {number + 1} of {n}", splits=splits))
    return parts


def groups(dataset: FaceDataset, progress: Progress | None = None) -> np.ndarray:
    """Return the number of each picture's group, int (N,); groups must stay together."""
    people = np.unique(dataset.subjects, return_inverse=True)[1]
    if dataset.knows_everybody:
        return people
    links = [find_copies(small_versions(dataset, progress))]
    for person in np.unique(people[dataset.subjects != ""]):
        rows = np.flatnonzero(people == person)
        links.append(np.stack([rows[:-1], rows[1:]], axis=1))
    return connected_groups(np.concatenate(links), len(dataset))


def _assign(dataset: FaceDataset, group: np.ndarray, n: int) -> np.ndarray:
    """Return the fold of each picture, int (N,) 0..n-1, the same for a whole group."""
    found = len(np.unique(group))
    if found < n:
        what = "people" if dataset.knows_everybody else "different pictures"
        raise DatasetError(f"expected at least {n} {what} in {dataset.name} for {n} folds, found {found}. Use fewer.")
    classes = dataset.truth(np.arange(len(dataset)))
    fold_of = np.zeros(len(dataset), int)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class")  # it is missing in some folds, no more
        try:
            for number, (_, rows) in enumerate(StratifiedGroupKFold(n).split(classes, classes, group)):
                fold_of[rows] = number
        except ValueError as error:
            raise DatasetError(
                f"expected at least {n} pictures of some expression in {dataset.name} for {n} folds, found at most "
                f"{np.bincount(classes).max()}. Use fewer folds."
            ) from error
    return fold_of


def _cut_by_subject(part: FaceDataset, missing: list[str]) -> np.ndarray:
    """Return the splits of pictures whose people are known."""
    splits = np.full(len(part), "train", "<U10")
    count = len(np.unique(part.subjects))
    if count >= FEWEST_SUBJECTS:
        fold_of = _assign(part, groups(part), min(round(1 / HELD_OUT), count))
        for number, split in enumerate(missing):
            splits[fold_of == number] = split
    return splits


def _cut_by_name(part: FaceDataset, missing: list[str], progress: Progress | None) -> np.ndarray:
    """Return the splits of pictures whose people are unknown."""
    classes = part.truth(np.arange(len(part)))
    keys = [hashlib.sha256(os.fsencode(part.name_of(row).rsplit("/")[-1])).digest() for row in range(len(part))]
    members: dict[int, list[int]] = {}
    for row, group in enumerate(groups(part, progress)):
        members.setdefault(int(group), []).append(row)
    waiting = sorted(members.values(), key=lambda rows: min(keys[row] for row in rows))
    counts = np.bincount(classes)
    share = np.where(counts > len(missing), np.maximum(np.round(HELD_OUT * counts), 1), 0).astype(int)
    splits = np.full(len(part), "train", "<U10")
    for split in missing:
        lacking, passed = share.copy(), []
        for rows in waiting:
            left = lacking - np.bincount(classes[rows], minlength=len(counts))
            if np.abs(left).sum() < np.abs(lacking).sum():
                splits[rows], lacking = split, left
            else:
                passed.append(rows)
        waiting = passed
    return splits
