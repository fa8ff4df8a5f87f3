"""Temperature scaling: one number that makes a confidence of 80 % right in 80 % of cases (arXiv:1706.04599)."""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

BOUNDS = (0.05, 20.0)


def fit_temperature(logits: np.ndarray, truth: np.ndarray) -> float:
    """Return the number to divide logits by, the one that makes the truth most likely.

    Args:
        logits: float (n, K), not divided by any temperature yet, of pictures the network was not trained on.
        truth: int (n,), indices of labels.
    """
    rows = np.arange(len(truth))

    def negative_log_likelihood(log_temperature: float) -> float:
        return float(-log_softmax(logits / np.exp(log_temperature), axis=1)[rows, truth].mean())

    best = minimize_scalar(negative_log_likelihood, bounds=tuple(np.log(BOUNDS)), method="bounded")
    return float(np.exp(best.x))
