"""Select pictures to review: mistakes, close calls, and possible label errors.

Every function returns positions in the predictions, int (≤ count,), most important first.
"""

import numpy as np

from fer.evaluation.predictions import Predictions


def worst_mistakes(predictions: Predictions, count: int = 50) -> np.ndarray:
    """Return the wrong predictions with the highest confidence."""
    wrong = np.flatnonzero(predictions.predicted != predictions.truth)
    return wrong[np.argsort(-predictions.confidence[wrong], kind="stable")][:count]


def least_sure(predictions: Predictions, count: int = 50) -> np.ndarray:
    """Return the pictures whose two most probable labels are closest."""
    if len(predictions.labels) < 2:
        return np.empty(0, int)
    second, first = np.sort(predictions.probabilities, axis=1)[:, -2:].T
    return np.argsort(first - second, kind="stable")[:count]


def likely_label_errors(predictions: Predictions, count: int = 50) -> np.ndarray:
    """Return the pictures whose label is doubtful, by confident learning (Northcutt et al. 2021, arXiv:1911.00068).

    A label's threshold is its mean probability over the pictures with that label. A picture's label is doubtful if
    another label has at least its own threshold, and a higher probability than the picture's label. Pictures are sorted
    by the difference.
    """
    probabilities, truth = predictions.probabilities, predictions.truth
    rows = np.arange(len(truth))
    own = probabilities[rows, truth]
    supports = np.bincount(truth, minlength=len(predictions.labels))
    sums = np.bincount(truth, own, minlength=len(predictions.labels))
    thresholds = np.where(supports > 0, sums / np.maximum(supports, 1), np.inf)  # never suggest unused labels
    others = np.where(probabilities >= thresholds, probabilities, -np.inf)
    others[rows, truth] = -np.inf
    lead = others.max(axis=1) - own
    doubtful = np.flatnonzero(lead > 0)
    return doubtful[np.argsort(-lead[doubtful], kind="stable")][:count]
