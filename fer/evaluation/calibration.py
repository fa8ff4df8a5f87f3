"""Temperature scaling: one number that makes a confidence of 80 % right in 80 % of cases (arXiv:1706.04599)."""

from collections.abc import Callable

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_expit, log_softmax

BOUNDS = (0.05, 20.0)
PRIOR_SD = 0.5
"""Standard deviation of the natural logarithm of temperatures, as far as is known without a look at any picture. A few
pictures that all are right would else make the model sure of everything; hundreds outweigh it."""


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
