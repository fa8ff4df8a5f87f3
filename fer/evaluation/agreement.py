"""The model beside people: how often a single rater, and how often the model, says what most other raters say.

A picture's votes are its raters' answers. Each of them in turn is taken away and compared with the label that most of
the others chose; where several labels lead, each counts for its part. A vote for none of the expressions ("unknown")
agrees with nobody and does not lead. On FER+'s test split a rater agrees in 77.3 % of the 3,137 majority pictures so.
The model's answer is compared with the same others, picture by picture and rater by rater.
"""

from dataclasses import dataclass
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
    left_out = [_leave_out(votes, probabilities, label) for label in range(votes.shape[1])]
    nobody = _compare(votes, probabilities, np.zeros_like(votes))  # a rater who chose no expression is left out
    weights = np.column_stack([votes, other_votes])

    def mean(figures: list[np.ndarray]) -> np.ndarray:
        return (np.column_stack(figures) * weights).sum(axis=1) / total

    rater = mean([*(one.rater_agrees for one in left_out), nobody.rater_agrees])
    model = mean([*(one.model_agrees for one in left_out), nobody.model_agrees])
    return Agreement(
        n=len(votes),
        votes_per_picture=float(total.mean()),
        rater=bootstrap_mean(rater),
        model=bootstrap_mean(model),
        difference=bootstrap_mean(model - rater),
        rater_distances=_mean_distances([one.rater_distances for one in left_out], votes),
        model_distances=_mean_distances([one.model_distances for one in left_out], votes),
        smoothing=SMOOTHING,
        by_agreement=_by_agreement(votes, other_votes, probabilities.argmax(axis=1) == truth),
    )


@dataclass(frozen=True, eq=False)
class _LeftOut:
    """What there is to say about each picture when one rater is taken away, float (n,) each."""

    rater_agrees: np.ndarray
    model_agrees: np.ndarray
    rater_distances: np.ndarray
    """(n, 2): Kullback–Leibler, Jensen–Shannon; of one who chose an expression."""
    model_distances: np.ndarray


def _leave_out(votes: np.ndarray, probabilities: np.ndarray, label: int) -> _LeftOut:
    """Take a rater away who chose a label, in all pictures that have one."""
    own = np.zeros_like(votes)
    own[:, label] = votes[:, label] > 0
    return _compare(votes - own, probabilities, own)


def _compare(others: np.ndarray, probabilities: np.ndarray, own: np.ndarray) -> _LeftOut:
    """Compare a rater's answer, (n, K) with one 1 or none a row, and the model's with the votes of the others."""
    leads = others == others.max(axis=1, keepdims=True)
    part = leads / leads.sum(axis=1, keepdims=True)
    rows = np.arange(len(others))
    shares = others / others.sum(axis=1, keepdims=True)
    return _LeftOut(
        rater_agrees=(part * own).sum(axis=1),
        model_agrees=part[rows, probabilities.argmax(axis=1)],
        rater_distances=_distances(shares, np.where(own.any(axis=1, keepdims=True), own, shares)),
        model_distances=_distances(shares, probabilities),
    )


def _distances(shares: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """Return (n, 2): KL(shares ‖ smoothed answers) in nats, Jensen–Shannon distance to the base 2."""
    smooth = (1 - SMOOTHING) * answers + SMOOTHING / answers.shape[1]
    return np.column_stack([rel_entr(shares, smooth).sum(axis=1), jensenshannon(shares, answers, base=2, axis=1)])


def _mean_distances(per_label: list[np.ndarray], votes: np.ndarray) -> Distances:
    """Return the mean over pictures of the mean over those of their raters who chose an expression."""
    each = np.stack(per_label, axis=1)  # (n, K, 2)
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
