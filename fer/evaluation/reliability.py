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
    counts, confidences, rights = _sums(probabilities, truth, bins)
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
        expected_calibration_error=expected_calibration_error(probabilities, truth, bins),
        brier_score=brier_score(probabilities, truth),
        negative_log_likelihood=negative_log_likelihood(probabilities, truth),
    )


def expected_calibration_error(probabilities: np.ndarray, truth: np.ndarray, bins: int = BINS) -> float:
    """Return the mean distance, 0..1, between confidence and accuracy over bins of equal width (Naeini et al. 2015)."""
    _, confidences, rights = _sums(probabilities, truth, bins)
    return float(np.abs(confidences - rights).sum() / len(truth))


def brier_score(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """Return the mean over pictures of Σ (probability − 1 where true, else 0)², 0..2 (Brier 1950)."""
    one_hot = np.eye(probabilities.shape[1])[truth]
    return float(((probabilities - one_hot) ** 2).sum(axis=1).mean())


def negative_log_likelihood(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """Return the mean of −ln of the probability given to the true label."""
    given = probabilities[np.arange(len(truth)), truth]
    return float(-np.log(np.maximum(given, LEAST_PROBABILITY)).mean())


def _sums(probabilities: np.ndarray, truth: np.ndarray, bins: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return for each bin how many pictures it has, the sum of their confidences, and how many are right."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == truth
    bin_of = np.minimum((confidence * bins).astype(int), bins - 1)
    counts, confidences, rights = (np.bincount(bin_of, weights, bins) for weights in (None, confidence, right))
    return counts, confidences, rights
