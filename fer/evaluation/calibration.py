"""Temperature scaling: one number that makes a confidence of 80 % right in 80 % of cases (arXiv:1706.04599)."""

from collections.abc import Callable

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_expit, log_softmax

BOUNDS = (0.05, 20.0)


def fit_temperature(logits: np.ndarray, truth: np.ndarray) -> float:
    """Return the number to divide logits by, the one that makes the truth most likely.

    Args:
        logits: float (n, K), not divided by any temperature yet, of pictures the network was not trained on.
        truth: int (n,), indices of labels.
    """
    rows = np.arange(len(truth))
    return _best(lambda temperature: float(-log_softmax(logits / temperature, axis=1)[rows, truth].mean()))


def fit_multilabel_temperature(logits: np.ndarray, targets: np.ndarray) -> float:
    """Return the number to divide logits by before a sigmoid, the one with the least binary cross entropy.

    Args:
        logits: float (n, K), not divided by any temperature yet, of pictures the network was not trained on.
        targets: float (n, K), 0..1.
    """

    def cross_entropy(temperature: float) -> float:
        scaled = logits / temperature
        return float(-(targets * log_expit(scaled) + (1 - targets) * log_expit(-scaled)).mean())

    return _best(cross_entropy)


def _best(loss: Callable[[float], float]) -> float:
    found = minimize_scalar(lambda log: loss(float(np.exp(log))), bounds=tuple(np.log(BOUNDS)), method="bounded")
    return float(np.exp(found.x))
