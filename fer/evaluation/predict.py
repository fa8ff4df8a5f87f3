"""A model's predictions on a split of a data set."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fer.datasets.dataset import FaceDataset, PreparedFaces, prepare_faces
from fer.errors import DatasetError, ImageError
from fer.evaluation.predictions import Predictions
from fer.model.classifier import Classifier, probabilities_of, shares_of
from fer.recognition.recognizer import Recognizer

Progress = Callable[[str, int, int], None]
"""Called with (step, number done, total)."""
_AT_ONCE = 256


@dataclass(frozen=True, eq=False)
class Answers:
    """A model's predictions, and the pictures that were left out."""

    predictions: Predictions
    logits: np.ndarray
    """float32 (n, outputs), from the network."""
    unknown_labels: dict[str, int]
    """Labels that the model lacks → number of pictures left out for it."""
    broken: tuple[str, ...]
    """Errors of the pictures that could not be read."""
    no_face: int
    """Number of photos without a face."""
    digests: np.ndarray
    """uint32 (n,): digests of the pictures, see `PreparedFaces`; empty if faces were detected in photos."""


def predict(
    classifier: Classifier,
    dataset: FaceDataset,
    split: str = "test",
    rule: str = "majority",
    progress: Progress | None = None,
    detect_with: Recognizer | None = None,
) -> Answers:
    """Run a model on all pictures of a split that count, without test-time augmentation.

    The model chooses among all of its labels, even if the data set has fewer; probabilities of a multilabel model are
    divided by their sum. Pictures whose label the model lacks are left out. Faces are cropped by the model's
    preprocessing; or pictures are whole photos, in which `detect_with` finds the largest face, and photos without one
    are left out.

    Raises:
        DatasetError: no picture is left.
    """
    labels = classifier.info.labels
    rows, unknown = _known(dataset, labels, split, rule)

    def reading(done: int, total: int) -> None:
        if progress:
            progress("reading pictures", done, total)

    if detect_with:
        prepared = _detected_faces(detect_with, dataset, rows, reading)
    else:
        prepared = prepare_faces(dataset, rows, classifier.info.preprocessing, reading)
    pixels, kept, broken = prepared.pixels, prepared.rows, prepared.broken
    if not len(kept):
        raise DatasetError(
            f"expected faces in the {len(rows)} pictures of {dataset.name}, found none. Check the pictures."
        )
    logits = _logits(classifier, pixels, progress)
    return Answers(
        predictions=_predictions(dataset, kept, labels, shares_of(probabilities_of(classifier.info, logits))),
        logits=logits,
        unknown_labels=unknown,
        broken=broken,
        no_face=len(rows) - len(kept) - len(broken),
        digests=prepared.digests,
    )


def _known(dataset: FaceDataset, labels: tuple[str, ...], split: str, rule: str) -> tuple[np.ndarray, dict[str, int]]:
    """Return the rows whose label the model has, int (n,), and the counts of the others by label."""
    rows = dataset.rows(split, rule)
    words = [dataset.labels[index] for index in dataset.truth(rows)]
    unknown = Counter(word for word in words if word not in labels)
    rows = rows[np.array([word in labels for word in words], bool)]
    if not len(rows):
        raise DatasetError(
            f"expected pictures of {dataset.name} in the split {split} with a label of the model "
            f"({', '.join(labels)}), found none. Its labels: {', '.join(dataset.labels)}; "
            f"its splits: {_split_sizes(dataset)}."
        )
    return rows, dict(unknown)


def _logits(classifier: Classifier, pixels: np.ndarray, progress: Progress | None) -> np.ndarray:
    parts = []
    for start in range(0, len(pixels), _AT_ONCE):
        parts.append(classifier.logits(pixels[start : start + _AT_ONCE]))
        if progress:
            progress("running the model", min(start + _AT_ONCE, len(pixels)), len(pixels))
    return np.concatenate(parts)


def _predictions(
    dataset: FaceDataset, rows: np.ndarray, labels: tuple[str, ...], probabilities: np.ndarray
) -> Predictions:
    votes = np.zeros((len(rows), len(labels)))
    for column, label in enumerate(dataset.labels):
        if label in labels:
            votes[:, labels.index(label)] = dataset.votes[rows, column]
    everything = dataset.votes[rows].sum(axis=1) + dataset.other_votes[rows].sum(axis=1)
    return Predictions(
        labels=labels,
        rows=rows,
        names=tuple(dataset.name_of(int(row)) for row in rows),
        splits=dataset.splits[rows],
        truth=np.array([labels.index(dataset.labels[index]) for index in dataset.truth(rows)], int),
        votes=votes,
        other_votes=everything - votes.sum(axis=1),
        probabilities=probabilities,
    )


def _detected_faces(
    recognizer: Recognizer, dataset: FaceDataset, rows: np.ndarray, progress: Callable[[int, int], None]
) -> PreparedFaces:
    """Return the largest face of each photo that has one, without digests."""
    pixels: list[np.ndarray] = []
    kept: list[int] = []
    broken: list[str] = []
    for row, image in dataset.read(rows, progress):
        if isinstance(image, ImageError):
            broken.append(str(image))
        elif detections := recognizer.detector.detect(image):
            largest = max(detections, key=lambda face: face.box.height * face.box.width)
            pixels.append(recognizer.network_input(image, largest))
            kept.append(row)
    return PreparedFaces(np.array(pixels, np.uint8), np.array(kept, int), tuple(broken))


def _split_sizes(dataset: FaceDataset) -> str:
    return ", ".join(f"{split} {count}" for split, count in sorted(Counter(dataset.splits.tolist()).items()))
