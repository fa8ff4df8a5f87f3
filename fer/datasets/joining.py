"""Combine data sets: labels are merged by meaning, people and splits stay separate."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.linalg import block_diag

from fer.datasets.dataset import SPLITS, FaceDataset, Progress
from fer.datasets.duplicates import find_copies, small_versions
from fer.labels import FERPLUS, canonical_label


def join(datasets: Sequence[FaceDataset], progress: Progress | None = None) -> FaceDataset:
    """Combine data sets, each with its own splits.

    Duplicates between data sets are left out on the side that would leak: training pictures that are also used for
    validation or test, and validation pictures that are also used for test.
    """
    if len(datasets) == 1:
        return datasets[0]
    labels = _union([dataset.labels for dataset in datasets])
    joined = FaceDataset(
        name=" + ".join(dataset.name for dataset in datasets),
        labels=labels,
        votes=np.concatenate([_votes(dataset, labels) for dataset in datasets]),
        splits=np.concatenate([dataset.splits for dataset in datasets]),
        pictures=[picture for dataset in datasets for picture in dataset.pictures],
        # The columns mean different things in each data set, so each has its own, 0 for the others.
        other_votes=block_diag(*(dataset.other_votes for dataset in datasets)),
        subjects=np.concatenate([_subjects(dataset, number) for number, dataset in enumerate(datasets, start=1)]),
        notes=tuple(note for dataset in datasets for note in dataset.notes),
    )
    source = np.repeat(np.arange(len(datasets)), [len(dataset) for dataset in datasets])
    return _without_leaks(joined, source, progress)


def _union(label_sets: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Return all labels once: the eight of FER+ in their order, then the others as they come."""
    words: dict[str, str] = {}  # Bored and bored are the same expression
    for label in (label for labels in label_sets for label in labels):
        words.setdefault(canonical_label(label).lower(), canonical_label(label))
    known = [label for label in FERPLUS if label in words]
    return (*known, *(word for key, word in words.items() if key not in known))


def _votes(dataset: FaceDataset, labels: tuple[str, ...]) -> np.ndarray:
    """Return a data set's votes for the combined labels, float32 (N, K)."""
    keys = [label.lower() for label in labels]
    votes = np.zeros((len(dataset), len(labels)), np.float32)
    for column, label in enumerate(dataset.labels):
        votes[:, keys.index(canonical_label(label).lower())] += dataset.votes[:, column]
    return votes


def _subjects(dataset: FaceDataset, number: int) -> np.ndarray:
    """Return the people, distinguished from those of other data sets: S010 → 2/S010."""
    return np.array([f"{number}/{subject}" if subject else "" for subject in dataset.subjects])


def _without_leaks(joined: FaceDataset, source: np.ndarray, progress: Progress | None) -> FaceDataset:
    """Leave out pictures with a duplicate in another data set that is used for validation or test."""
    pairs = find_copies(small_versions(joined, progress))
    pairs = pairs[source[pairs[:, 0]] != source[pairs[:, 1]]]
    side = np.array([SPLITS.index(split) for split in joined.splits])
    leaking = np.zeros(len(joined), bool)
    for one, other in (pairs.T, pairs.T[::-1]):
        leaking[one[side[one] < side[other]]] = True
    if not leaking.any():
        return joined
    note = (
        f"{leaking.sum()} pictures of one data set were left out, because they are used for validation or test in "
        "another."
    )
    kept = joined.take(np.flatnonzero(~leaking))
    return replace(kept, notes=(*joined.notes, note))
