"""Numbers that a model gets from validation pictures when its network is done.

prior correction     takes off the logits what the network learned of how frequent each expression is
temperature          makes a confidence of 80 % right in 80 % of cases (Guo et al. 2017, arXiv:1706.04599)
unsure threshold     under which confidence an answer is called unsure
"""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_expit, log_softmax
from sklearn.metrics import f1_score

BOUNDS = (0.05, 20.0)
PRIOR_SD = 0.5
"""Standard deviation of the natural logarithm of temperatures, as far as is known without a look at any picture. A few
pictures that all are right would else make the model sure of everything; hundreds outweigh it."""

CORRECTIONS = np.linspace(0, 1, 21)
ACCURACY_TO_GIVE = 0.002
"""How much validation accuracy a correction may cost, for the sake of rare expressions and of other people's faces."""
CORRECTED_FROM = 500
"""With fewer validation pictures than this nothing is corrected: single pictures of rare expressions would decide."""
UNSURE_SHARE = 0.1
"""This share of the validation pictures, those with the least confidence, is called unsure."""
SURE_FROM = 0.5
"""An answer with this confidence is never called unsure: it is right more often than not."""


def fit_prior_correction(logits: np.ndarray, truth: np.ndarray, prior: Sequence[float]) -> float:
    """Return how much of the prior to take off, 0..1: see `ModelInfo.prior_correction`.

    The one with the best macro F1 among those that cost at most `ACCURACY_TO_GIVE`; of equals the smallest.

    Args:
        logits: float (n, K), neither corrected nor divided, of pictures the network was not trained on.
        truth: int (n,), indices of labels.
        prior: K shares, over 0.
    """
    if len(truth) < CORRECTED_FROM:
        return 0.0
    answers = [(logits - correction * np.log(prior)).argmax(axis=1) for correction in CORRECTIONS]
    accuracies = np.array([(answer == truth).mean() for answer in answers])
    scores = [f1_score(truth, answer, average="macro", labels=np.unique(truth), zero_division=0) for answer in answers]
    affordable = accuracies >= accuracies.max() - ACCURACY_TO_GIVE
    return float(CORRECTIONS[np.where(affordable, scores, -1.0).argmax()])


def fit_unsure_threshold(confidences: np.ndarray) -> float:
    """Return the confidence, at most `SURE_FROM`, under which `UNSURE_SHARE` of the pictures lie.

    Args:
        confidences: float (n,), 0..1, calibrated, of validation pictures.
    """
    return min(float(np.quantile(confidences, UNSURE_SHARE)), SURE_FROM)


def fit_temperature(logits: np.ndarray, truth: np.ndarray) -> float:
    """Return the number to divide logits by, the one that makes the truth most likely.

    Args:
        logits: float (n, K), not divided by any temperature yet, of pictures the network was not trained on.
        truth: int (n,), indices of labels.
    """
    rows = np.arange(len(truth))
    return _best(lambda temperature: float(-log_softmax(logits / temperature, axis=1)[rows, truth].sum()))


def fit_multilabel_temperature(logits: np.ndarray, targets: np.ndarray) -> float:
    """Return the number to divide logits by before a sigmoid, the one with the least binary cross entropy.

    Args:
        logits: float (n, K), not divided by any temperature yet, of pictures the network was not trained on.
        targets: float (n, K), 0..1.
    """

    def cross_entropy(temperature: float) -> float:
        scaled = logits / temperature
        return float(-(targets * log_expit(scaled) + (1 - targets) * log_expit(-scaled)).sum())

    return _best(cross_entropy)


def _best(loss: Callable[[float], float]) -> float:
    """Return the most probable temperature, given the loss of all pictures together in nats."""

    def improbability(log: float) -> float:
        return loss(float(np.exp(log))) + (log / PRIOR_SD) ** 2 / 2

    found = minimize_scalar(improbability, bounds=tuple(np.log(BOUNDS)), method="bounded")
    return float(np.exp(found.x))
