"""Figures about predictions whose truth is known."""

from dataclasses import dataclass

import numpy as np
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from fer.evaluation import confusions
from fer.evaluation.figures import ClassFigures, Estimate
from fer.evaluation.intervals import Statistic, bootstrap, f1_score, share
from fer.evaluation.reliability import expected_calibration_error, negative_log_likelihood


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
    """Figures for n pictures and K labels, without intervals: quick enough for every epoch."""

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
        negative_log_likelihood=negative_log_likelihood(probabilities, truth),
        calibration_error=expected_calibration_error(probabilities, truth),
        per_class=per_class,
        confusion=confusion_matrix(truth, predicted, labels=indices),
    )


def headline(confusion: np.ndarray) -> dict[str, Estimate]:
    """Return accuracy, balanced_accuracy, macro_precision and macro_f1 with their bootstrap intervals.

    Means are over the labels that occur in the truth; the mean recall is the balanced accuracy.

    Args:
        confusion: int (K, K), rows truth, columns prediction.
    """
    figures = {
        "accuracy": confusions.accuracy,
        "balanced_accuracy": confusions.balanced_accuracy,
        "macro_precision": confusions.macro_precision,
        "macro_f1": confusions.macro_f1,
    }
    return {name: _of_resampled(figure, confusion) for name, figure in figures.items()}


def _of_resampled(figure: Statistic, confusion: np.ndarray) -> Estimate:
    return bootstrap(confusion.ravel(), lambda drawn: figure(drawn.reshape(-1, *confusion.shape)))


def top_two_accuracy(probabilities: np.ndarray, truth: np.ndarray) -> Estimate:
    """Return how often the truth is one of the two most probable labels, with its bootstrap interval."""
    given = probabilities[np.arange(len(truth)), truth]
    right = int(((probabilities > given[:, None]).sum(axis=1) < 2).sum())
    return bootstrap(np.array([right, len(truth) - right]), lambda drawn: drawn[:, 0] / len(truth))


def class_figures(confusion: np.ndarray, labels: tuple[str, ...]) -> dict[str, ClassFigures]:
    """Return precision, recall and F1 of each label with score intervals, which hold for rare labels, too.

    Args:
        confusion: int (K, K), rows truth, columns prediction.
        labels: the K labels.
    """
    right, support, predicted = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    return {
        label: ClassFigures(
            precision=share(right[i], predicted[i]),
            recall=share(right[i], support[i]),
            f1=f1_score(right[i], predicted[i], support[i]),
            support=int(support[i]),
            predicted=int(predicted[i]),
        )
        for i, label in enumerate(labels)
    }
