"""Calibration: whether a confidence of 80 % is right in 80 % of cases."""

import numpy as np

from fer.evaluation.figures import Reliability, ReliabilityBin

BINS = 15
"""What papers use (Guo et al. 2017, arXiv:1706.04599)."""
LEAST_PROBABILITY = 1e-12
"""What a truth of no probability is taken to have, so that its logarithm is finite."""


def reliability(probabilities: np.ndarray, truth: np.ndarray, temperature: float, bins: int = BINS) -> Reliability:
    """Return the diagram over bins of equal width, and the figures.

    Args:
        probabilities: float (n, K), rows summing to 1, n ≥ 1.
        truth: int (n,).
        temperature: what the logits behind the probabilities were divided by; it is only written down.
        bins: how many; bin i holds i / bins ≤ confidence < (i + 1) / bins, the last one 1, too.
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
    """Return the mean of −ln of the probability given to the true label."""
    given = probabilities[np.arange(len(truth)), truth]
    return float(-np.log(np.maximum(given, LEAST_PROBABILITY)).mean())
