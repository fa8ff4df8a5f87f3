"""Which pictures to look at: mistakes, doubts, and labels that may be wrong themselves.

Every function returns places in the predictions, int (≤ count,), what matters most first.
"""

import numpy as np

from fer.evaluation.predictions import Predictions


def worst_mistakes(predictions: Predictions, count: int = 50) -> np.ndarray:
    """Return the wrong answers that the model was most confident of."""
    wrong = np.flatnonzero(predictions.predicted != predictions.truth)
    return wrong[np.argsort(-predictions.confidence[wrong], kind="stable")][:count]


def most_uncertain(predictions: Predictions, count: int = 50) -> np.ndarray:
    """Return the pictures whose two most probable labels are nearest to each other."""
    if len(predictions.labels) < 2:
        return np.empty(0, int)
    second, first = np.sort(predictions.probabilities, axis=1)[:, -2:].T
    return np.argsort(first - second, kind="stable")[:count]


def likely_label_errors(predictions: Predictions, count: int = 50) -> np.ndarray:
    """Return the pictures whose label is doubtful, by confident learning (Northcutt et al. 2021, arXiv:1911.00068).

    A label's threshold is the mean probability that the model gives it on the pictures that bear it. A picture's label
    is doubtful if the model gives another label at least that label's threshold, and more than the label itself. The
    order is by how much more.
    """
    probabilities, truth = predictions.probabilities, predictions.truth
    rows = np.arange(len(truth))
    own = probabilities[rows, truth]
    supports = np.bincount(truth, minlength=len(predictions.labels))
    sums = np.bincount(truth, own, minlength=len(predictions.labels))
    thresholds = np.where(supports > 0, sums / np.maximum(supports, 1), np.inf)  # unused labels are never suggested
    others = np.where(probabilities >= thresholds, probabilities, -np.inf)
    others[rows, truth] = -np.inf
    lead = others.max(axis=1) - own
    doubtful = np.flatnonzero(lead > 0)
    return doubtful[np.argsort(-lead[doubtful], kind="stable")][:count]
