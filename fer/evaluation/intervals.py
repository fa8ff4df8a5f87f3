"""95 % confidence intervals."""

from collections.abc import Callable

import numpy as np
from scipy.stats import binomtest

from fer.evaluation.figures import Estimate

LEVEL = 0.95
RESAMPLES = 10_000
"""Number of resamples for a bootstrap interval."""
SEED = 0
_MOST_DRAWN = 2_000_000
"""Numbers drawn at once, to bound memory."""

Statistic = Callable[[np.ndarray], np.ndarray]
"""Counts of each kind of picture (R, C) → figures (R,)."""


def bootstrap(counts: np.ndarray, statistic: Statistic) -> Estimate:
    """Return a figure with its percentile bootstrap interval (Efron 1979).

    Pictures of one kind, such as those with the same truth and prediction, are interchangeable. Drawing n pictures with
    replacement is then drawing the count of each kind from a multinomial distribution, which is fast.

    Args:
        counts: int (C,), number of pictures of each kind.
        statistic: computes the figure from counts (R, C), for R resamples at once.
    """
    kinds = np.flatnonzero(counts)
    total = int(counts.sum())
    random = np.random.default_rng(SEED)
    rows = max(min(_MOST_DRAWN // max(len(kinds), 1), RESAMPLES), 1)
    figures = []
    for start in range(0, RESAMPLES, rows):
        drawn = np.zeros((min(rows, RESAMPLES - start), len(counts)), np.int64)
        drawn[:, kinds] = random.multinomial(total, counts[kinds] / total, size=len(drawn))
        figures.append(statistic(drawn))
    low, high = np.quantile(np.concatenate(figures), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(float(statistic(np.asarray(counts)[None])[0]), float(low), float(high))


def bootstrap_mean(values: np.ndarray) -> Estimate:
    """Return the mean of one number per picture, float (n,), with its bootstrap interval."""
    kinds, counts = np.unique(values, return_counts=True)
    return bootstrap(counts, lambda drawn: drawn @ kinds.astype(float) / len(values))


def share(part: int, total: int) -> Estimate:
    """Return a proportion with its score interval (Wilson 1927), which also holds for few pictures and near 0 and 1.

    A share of 0 pictures is 0, without an interval.
    """
    if not total:
        return Estimate(0.0, None, None)
    interval = binomtest(int(part), int(total)).proportion_ci(LEVEL, method="wilson")
    return Estimate(float(part / total), float(interval.low), float(interval.high))


def f1_score(right: int, predicted: int, support: int) -> Estimate:
    """Return an F1 score with its interval.

    F1 is a monotonic function of J, the share of correct ones among all pictures with the label or predicted to have
    it: F1 = 2J / (1 + J) (Hand, Christen & Kirielle 2021, doi:10.1007/s10994-021-05964-1). So the score interval of J,
    transformed, is that of F1.
    """
    union = share(right, predicted + support - right)
    if union.low is None or union.high is None:
        return union
    return Estimate(*(2 * bound / (1 + bound) for bound in (union.value, union.low, union.high)))
