"""Figures about predictions whose truth is known."""

from dataclasses import dataclass

import numpy as np

from fer.evaluation import confusions
from fer.evaluation.figures import ClassFigures, Estimate
from fer.evaluation.intervals import Statistic, bootstrap, f1_score, share
from fer.evaluation.reliability import negative_log_likelihood


@dataclass(frozen=True, eq=False)
class Metrics:
    """Figures for n pictures and K labels, without intervals: quick enough for every epoch."""

    accuracy: float
    """0..1"""
    macro_f1: float
    """Mean F1 of the labels that occur in the truth, 0..1."""
    negative_log_likelihood: float
    """Mean of −ln of the probability given to the true label."""
    confusion: np.ndarray
    """int (K, K): rows are truth, columns are prediction."""


def measure(probabilities: np.ndarray, truth: np.ndarray) -> Metrics:
    """Compare n ≥ 1 predictions, float (n, K), rows summing to 1, with the truth, int (n,), indices of the K labels."""
    confusion = confusions.count(truth, probabilities.argmax(axis=1), probabilities.shape[1])
    return Metrics(
        accuracy=float(confusions.accuracy(confusion[None])[0]),
        macro_f1=float(confusions.macro_f1(confusion[None])[0]),
        negative_log_likelihood=negative_log_likelihood(probabilities, truth),
        confusion=confusion,
    )


def resampled(figure: Statistic, confusion: np.ndarray) -> Estimate:
    """Return a figure of `fer.evaluation.confusions`, of one matrix int (K, K), with its bootstrap interval."""
    return bootstrap(confusion.ravel(), lambda drawn: figure(drawn.reshape(-1, *confusion.shape)))


def top_two_accuracy(probabilities: np.ndarray, truth: np.ndarray) -> Estimate:
    """Return how often the truth is one of the two most probable labels, with its bootstrap interval."""
    given = probabilities[np.arange(len(truth)), truth]
    right = int(((probabilities > given[:, None]).sum(axis=1) < 2).sum())
    return bootstrap(np.array([right, len(truth) - right]), lambda drawn: drawn[:, 0] / len(truth))


def class_figures(confusion: np.ndarray, labels: tuple[str, ...]) -> dict[str, ClassFigures]:
    """Return precision, recall and F1 of K labels, of a confusion matrix int (K, K), rows truth, columns prediction.

    Their score intervals hold for rare labels, too.
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
