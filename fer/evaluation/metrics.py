"""Figures about predictions whose truth is known."""

from dataclasses import dataclass

import numpy as np
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support


@dataclass(frozen=True)
class ClassMetrics:
    """How one label fares. A ratio with nothing to divide by is 0."""

    precision: float
    recall: float
    f1: float
    support: int
    """How many pictures truly have this label."""


@dataclass(frozen=True, eq=False)
class Metrics:
    """Figures for n pictures and K labels."""

    n: int
    accuracy: float
    """0..1"""
    macro_f1: float
    """Mean F1 of the labels that occur in the truth, 0..1."""
    negative_log_likelihood: float
    """Mean of −ln of the probability given to the true label."""
    calibration_error: float
    """0..1, see `expected_calibration_error`."""
    per_class: dict[str, ClassMetrics]
    confusion: np.ndarray
    """int (K, K): rows are truth, columns are prediction."""


def measure(probabilities: np.ndarray, truth: np.ndarray, labels: tuple[str, ...]) -> Metrics:
    """Compare predictions with the truth.

    Args:
        probabilities: float (n, K), rows summing to 1, n ≥ 1.
        truth: int (n,), indices of `labels`.
        labels: the K labels.
    """
    predicted = probabilities.argmax(axis=1)
    indices = np.arange(len(labels))
    precision, recall, f1, support = precision_recall_fscore_support(truth, predicted, labels=indices, zero_division=0)
    per_class = {
        label: ClassMetrics(float(precision[i]), float(recall[i]), float(f1[i]), int(support[i]))
        for i, label in enumerate(labels)
    }
    return Metrics(
        n=len(truth),
        accuracy=float((predicted == truth).mean()),
        macro_f1=float(f1[support > 0].mean()),
        negative_log_likelihood=float(-np.log(np.maximum(probabilities[np.arange(len(truth)), truth], 1e-12)).mean()),
        calibration_error=expected_calibration_error(probabilities, truth),
        per_class=per_class,
        confusion=confusion_matrix(truth, predicted, labels=indices),
    )


def expected_calibration_error(probabilities: np.ndarray, truth: np.ndarray, bins: int = 15) -> float:
    """Return the mean distance between confidence and accuracy over bins of equal width (Naeini et al. 2015).

    Args:
        probabilities: float (n, K).
        truth: int (n,).
        bins: how many; 15 is what papers use (Guo et al. 2017, arXiv:1706.04599).
    """
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == truth
    bin_of = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = np.bincount(bin_of, confidence - correct, minlength=bins)
    return float(np.abs(gaps).sum() / len(truth))
