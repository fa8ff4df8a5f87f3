"""Metrics of predictions with known truth; calibration; ROC and precision–recall curves."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

from fer.evaluation import confusions
from fer.evaluation.figures import ClassCurves, ClassFigures, Curve, Estimate, Reliability, ReliabilityBin
from fer.evaluation.intervals import Statistic, bootstrap, f1_score, share

BINS = 15
"""The usual number in papers (Guo et al. 2017, arXiv:1706.04599)."""
LEAST_PROBABILITY = 1e-12
"""Lower limit for the probability of the truth, so that its logarithm is finite."""
MOST_POINTS = 200
DIGITS = 5
"""Digits of the stored points; areas are not rounded."""


@dataclass(frozen=True, eq=False)
class Metrics:
    """Metrics of n pictures and K labels, without intervals: fast enough for every epoch."""

    accuracy: float
    """0..1"""
    macro_f1: float
    """Mean F1 of the labels that occur in the truth, 0..1."""
    negative_log_likelihood: float
    """Mean of −ln of the true label's probability."""
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
    """Return a figure of `fer.evaluation.confusions` for one matrix int (K, K), with its bootstrap interval."""
    return bootstrap(confusion.ravel(), lambda drawn: figure(drawn.reshape(-1, *confusion.shape)))


def accuracy(confusion: np.ndarray) -> Estimate:
    """Return the accuracy of a confusion matrix int (K, K) with its interval, see `_proportion`."""
    return _proportion(
        int(np.trace(confusion)), int(confusion.sum()), lambda: resampled(confusions.accuracy, confusion)
    )


def top_two_accuracy(probabilities: np.ndarray, truth: np.ndarray) -> Estimate:
    """Return how often the truth is one of the two most probable labels, with its interval, see `_proportion`."""
    given = probabilities[np.arange(len(truth)), truth]
    right = int(((probabilities > given[:, None]).sum(axis=1) < 2).sum())
    counts = np.array([right, len(truth) - right])
    return _proportion(right, len(truth), lambda: bootstrap(counts, lambda drawn: drawn[:, 0] / len(truth)))


def _proportion(right: int, total: int, resample: Callable[[], Estimate]) -> Estimate:
    """Return a share of pictures with the bootstrap interval that `resample` computes.

    If all or no pictures are right, resampling never changes that; so the interval is the score interval.
    """
    return share(right, total) if right in (0, total) else resample()


def class_figures(confusion: np.ndarray, labels: tuple[str, ...]) -> dict[str, ClassFigures]:
    """Return precision, recall and F1 of K labels from a confusion matrix int (K, K), rows truth, columns prediction.

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


def reliability(probabilities: np.ndarray, truth: np.ndarray, temperature: float, bins: int = BINS) -> Reliability:
    """Return the reliability diagram over bins of equal width, and calibration figures, of n ≥ 1 predictions.

    The probabilities, float (n, K), sum to 1 in each row; the truth is int (n,). The temperature used for them is only
    stored. Bin i has i / bins ≤ confidence < (i + 1) / bins; the last one includes 1.
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == truth
    bin_of = np.minimum((confidence * bins).astype(int), bins - 1)
    counts, confidences, rights = (np.bincount(bin_of, weights, bins) for weights in (None, confidence, right))
    one_hot = np.eye(probabilities.shape[1])[truth]
    return Reliability(
        temperature=temperature,
        bins=tuple(
            ReliabilityBin(
                low=index / bins,
                high=(index + 1) / bins,
                n=int(count),
                confidence=float(confidences[index] / count) if count else None,
                accuracy=float(rights[index] / count) if count else None,
            )
            for index, count in enumerate(counts)
        ),
        expected_calibration_error=float(np.abs(confidences - rights).sum() / len(truth)),
        brier_score=float(((probabilities - one_hot) ** 2).sum(axis=1).mean()),
        negative_log_likelihood=negative_log_likelihood(probabilities, truth),
    )


def negative_log_likelihood(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """Return the mean of −ln of the true label's probability."""
    given = probabilities[np.arange(len(truth)), truth]
    return float(-np.log(np.maximum(given, LEAST_PROBABILITY)).mean())


def curves(probabilities: np.ndarray, truth: np.ndarray, labels: tuple[str, ...]) -> dict[str, ClassCurves]:
    """Return the curves of K labels, from probabilities float (n, K) and truth int (n,), indices of the labels."""
    return {label: _curves_of(truth == index, probabilities[:, index], label) for index, label in enumerate(labels)}


def _curves_of(is_label: np.ndarray, score: np.ndarray, label: str) -> ClassCurves:
    if not is_label.any():
        missing = Curve((), (), None, f"no picture is labeled {label}")
        return ClassCurves(missing, missing)
    precision, recall, _ = precision_recall_curve(is_label, score, drop_intermediate=True)
    found = _thinned(recall[::-1], precision[::-1], float(average_precision_score(is_label, score)))
    if is_label.all():
        return ClassCurves(Curve((), (), None, f"every picture is labeled {label}"), found)
    false_positives, true_positives, _ = roc_curve(is_label, score)
    return ClassCurves(_thinned(false_positives, true_positives, float(roc_auc_score(is_label, score))), found)


def _thinned(x: np.ndarray, y: np.ndarray, area: float) -> Curve:
    """Keep the ends, and points spaced evenly along the curve."""
    if len(x) > MOST_POINTS:
        way = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))])
        kept = np.searchsorted(way, np.linspace(0, way[-1], MOST_POINTS))
        kept = np.unique(np.minimum(kept, len(x) - 1))
        kept[-1] = len(x) - 1
        x, y = x[kept], y[kept]
    return Curve(tuple(np.round(x, DIGITS).tolist()), tuple(np.round(y, DIGITS).tolist()), area, None)
