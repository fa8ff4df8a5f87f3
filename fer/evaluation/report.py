"""A model's figures on a data set, as a file that says all that is needed to get them again."""

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timezone
from typing import Any

import numpy as np

from fer.datasets.dataset import FaceDataset, prepare_faces
from fer.errors import DatasetError, ImageError
from fer.evaluation.metrics import measure
from fer.model.classifier import Classifier
from fer.recognition.recognizer import Recognizer

Progress = Callable[[int, int], None]


def evaluate(
    classifier: Classifier,
    dataset: FaceDataset,
    split: str = "test",
    rule: str = "majority",
    progress: Progress | None = None,
    detect_with: Recognizer | None = None,
) -> dict[str, Any]:
    """Measure a model on one split of a data set, without test-time augmentation.

    The figures of a multilabel model are those of its probabilities as shares of their sum.
    The model chooses among all of its labels, also where the data set has fewer. Pictures with a label that the model
    does not know are left out and counted in "unknown_labels".

    Args:
        classifier: the model.
        dataset: pictures of faces, cropped as the model's preprocessing says; or whole photos, with `detect_with`.
        split: "train", "validation", "test" or "all".
        rule: which pictures count; see `FaceDataset.rows`.
        progress: called with (done, total).
        detect_with: finds the face first, the largest one; pictures without a face are counted in "no_face".

    Returns:
        A dict of plain values for JSON: n, rule, accuracy, macro_f1, per_class, labels, confusion (rows are truth), …

    Raises:
        DatasetError: no picture is left to measure with.
    """
    labels = classifier.info.labels
    rows = dataset.rows(split, rule)
    words = [dataset.labels[index] for index in dataset.truth(rows)]
    unknown = Counter(word for word in words if word not in labels)
    known = np.array([word in labels for word in words], bool)
    rows = rows[known]
    truth = np.array([labels.index(word) for word in words if word in labels], int)
    if not len(rows):
        raise DatasetError(
            f"expected pictures of {dataset.name} in the split {split} with a label of the model "
            f"({', '.join(labels)}), found none. Its labels: {', '.join(dataset.labels)}; "
            f"its splits: {_split_sizes(dataset)}."
        )
    if detect_with:
        pixels, kept, broken = _detected_faces(detect_with, dataset, rows, progress)
    else:
        prepared = prepare_faces(dataset, rows, classifier.info.preprocessing, progress)
        pixels, kept, broken = prepared.pixels, prepared.rows, list(prepared.broken)
    if not len(kept):
        raise DatasetError(f"expected faces in the {len(rows)} pictures of {dataset.name}, found none.")
    metrics = measure(classifier.distributions(pixels), truth[np.isin(rows, kept)], labels)
    return {
        "dataset": dataset.name,
        "split": split,
        "rule": rule,
        "n": metrics.n,
        "accuracy": metrics.accuracy,
        "macro_f1": metrics.macro_f1,
        "negative_log_likelihood": metrics.negative_log_likelihood,
        "calibration_error": metrics.calibration_error,
        "per_class": {label: asdict(figures) for label, figures in metrics.per_class.items()},
        "labels": list(labels),
        "confusion": metrics.confusion.tolist(),
        "unknown_labels": dict(unknown),
        "broken": broken,
        "no_face": len(rows) - len(kept) - len(broken) if detect_with else None,
        "temperature": classifier.info.temperature,
        "training": classifier.info.training,
        "time": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }


def _detected_faces(
    recognizer: Recognizer, dataset: FaceDataset, rows: np.ndarray, progress: Progress | None
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return (uint8 (n, C, S, S), int (n,) rows with a face, what was wrong with broken pictures)."""
    pixels: list[np.ndarray] = []
    kept: list[int] = []
    broken: list[str] = []
    for done, row in enumerate(rows, start=1):
        try:
            image = dataset.picture(int(row))
            detections = recognizer.detector.detect(image)
            if detections:
                largest = max(detections, key=lambda face: face.box.height * face.box.width)
                pixels.append(recognizer.network_input(image, largest))
                kept.append(int(row))
        except ImageError as error:
            broken.append(str(error))
        if progress:
            progress(done, len(rows))
    return np.array(pixels, np.uint8), np.array(kept, int), broken


def _split_sizes(dataset: FaceDataset) -> str:
    return ", ".join(f"{split} {count}" for split, count in sorted(Counter(dataset.splits.tolist()).items()))
