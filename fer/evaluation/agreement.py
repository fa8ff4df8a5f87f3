"""The model beside people: how often a single rater, and how often the model, says what most other raters say.

A picture's votes are its raters' answers. Each of them in turn is taken away and compared with the label that most of
the others chose; where several labels lead, each counts for its part. A vote for none of the expressions ("unknown")
agrees with nobody and does not lead. On FER+'s test split a rater agrees in 77.3 % of the 3,137 majority pictures so.
The model's answer is compared with the same others, picture by picture and rater by rater.
"""

from itertools import pairwise

import numpy as np
from scipy.spatial.distance import jensenshannon
from scipy.special import rel_entr

from fer.evaluation.figures import Agreement, AgreementBin, Distances
from fer.evaluation.intervals import bootstrap_mean, share

SMOOTHING = 0.05
"""In the KL divergence an answer q over K labels is taken as 0.95 q + 0.05 / K: one label alone makes it infinite."""
SHARES = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""Bounds of the bins of agreement; the upper one belongs to a bin."""


def agreement(
    votes: np.ndarray, other_votes: np.ndarray, probabilities: np.ndarray, truth: np.ndarray
) -> Agreement | None:
    """Return how the model fares beside a single human rater; None where no picture has votes of two for expressions.

    Args:
        votes: (n, K), whole numbers ≥ 0: how many raters chose each label.
        other_votes: (n,), how many chose none of them.
        probabilities: float (n, K), the model's, rows summing to 1.
        truth: int (n,), the labels that the model's accuracy is measured by.
    """
    kept = votes.sum(axis=1) >= 2  # so that one is left whoever goes
    if not kept.any():
        return None
    votes, other_votes, probabilities, truth = votes[kept], other_votes[kept], probabilities[kept], truth[kept]
    total = votes.sum(axis=1) + other_votes
    labels = np.eye(votes.shape[1] + 1, votes.shape[1])  # the last row: a rater who chose no expression is left out
    taken = [(votes > 0) * label for label in labels]
    columns = zip(*(_compare(votes - own, probabilities, own) for own in taken), strict=True)
    rater_agrees, model_agrees, rater_distances, model_distances = (np.stack(one, axis=1) for one in columns)
    weights = np.column_stack([votes, other_votes])
    rater, model = ((agrees * weights).sum(axis=1) / total for agrees in (rater_agrees, model_agrees))
    return Agreement(
        n=len(votes),
        votes_per_picture=float(total.mean()),
        rater=bootstrap_mean(rater),
        model=bootstrap_mean(model),
        difference=bootstrap_mean(model - rater),
        rater_distances=_mean_distances(rater_distances[:, :-1], votes),
        model_distances=_mean_distances(model_distances[:, :-1], votes),
        smoothing=SMOOTHING,
        by_agreement=_by_agreement(votes, other_votes, probabilities.argmax(axis=1) == truth),
    )


def _compare(others: np.ndarray, probabilities: np.ndarray, own: np.ndarray) -> tuple[np.ndarray, ...]:
    """Compare a rater's answer, (n, K) with one 1 or none a row, and the model's with the votes of the others.

    Returns:
        How often the rater agrees and how often the model does, float (n,) both; `_distances` of both, (n, 2), the
        rater's where an expression was chosen.
    """
    leads = others == others.max(axis=1, keepdims=True)
    part = leads / leads.sum(axis=1, keepdims=True)
    rows = np.arange(len(others))
    shares = others / others.sum(axis=1, keepdims=True)
    chosen = np.where(own.any(axis=1, keepdims=True), own, shares)
    agrees = (part * own).sum(axis=1), part[rows, probabilities.argmax(axis=1)]
    return *agrees, _distances(shares, chosen), _distances(shares, probabilities)


def _distances(shares: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """Return (n, 2): KL(shares ‖ smoothed answers) in nats, Jensen–Shannon distance to the base 2."""
    smooth = (1 - SMOOTHING) * answers + SMOOTHING / answers.shape[1]
    return np.column_stack([rel_entr(shares, smooth).sum(axis=1), jensenshannon(shares, answers, base=2, axis=1)])


def _mean_distances(each: np.ndarray, votes: np.ndarray) -> Distances:
    """Return the mean over pictures, (n, K, 2), of the mean over those of their raters who chose an expression."""
    means = (each * votes[..., None]).sum(axis=1) / votes.sum(axis=1, keepdims=True)
    kullback_leibler, jensen_shannon = means.mean(axis=0)
    return Distances(float(kullback_leibler), float(jensen_shannon))


def _by_agreement(votes: np.ndarray, other_votes: np.ndarray, right: np.ndarray) -> tuple[AgreementBin, ...]:
    top_share = votes.max(axis=1) / (votes.sum(axis=1) + other_votes)
    bins = []
    for above, up_to in pairwise(SHARES):
        inside = (top_share > above + 1e-6) & (top_share <= up_to + 1e-6)
        n = int(inside.sum())
        bins.append(AgreementBin(above, up_to, n, share(int(right[inside].sum()), n) if n else None))
    return tuple(bins)
