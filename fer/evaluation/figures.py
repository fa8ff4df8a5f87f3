"""The figures of an evaluation, as plain values that a report stores as JSON."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval."""

    value: float
    low: float | None
    """None, like `high`, if there is no basis for an interval."""
    high: float | None


@dataclass(frozen=True)
class ClassFigures:
    """Figures of one label, 0..1. A ratio with a denominator of 0 is 0, without an interval."""

    precision: Estimate
    recall: Estimate
    f1: Estimate
    support: int
    """Number of pictures with this label."""
    predicted: int
    """Number of pictures predicted to have this label."""


@dataclass(frozen=True)
class Curve:
    """A curve, and the area below it."""

    x: tuple[float, ...]
    """0..1, at most 200 points; empty if there is no curve."""
    y: tuple[float, ...]
    """0..1"""
    area: float | None
    """0..1, computed from all points, not only those stored."""
    missing: str | None
    """The reason if there is no curve."""


@dataclass(frozen=True)
class ClassCurves:
    """The curves of one label against all others, over all thresholds of its probability."""

    roc: Curve
    """x: false positive rate, y: true positive rate."""
    precision_recall: Curve
    """x: recall, y: precision; the area is the average precision."""


@dataclass(frozen=True)
class ReliabilityBin:
    """The pictures whose confidence is between two bounds."""

    low: float
    high: float
    n: int
    confidence: float | None
    """Mean probability of the predicted label, 0..1; None in an empty bin."""
    accuracy: float | None


@dataclass(frozen=True)
class Reliability:
    """How well confidence matches accuracy."""

    temperature: float
    """The divisor of the logits."""
    bins: tuple[ReliabilityBin, ...]
    expected_calibration_error: float
    """0..1: mean distance between confidence and accuracy over bins of equal width (Naeini et al. 2015)."""
    brier_score: float
    """0..2: squared distance between the probabilities and the truth, summed over the labels (Brier 1950)."""
    negative_log_likelihood: float
    """Mean of −ln of the true label's probability."""


@dataclass(frozen=True)
class Distances:
    """Mean distance from the votes of a picture's raters."""

    kullback_leibler: float
    """KL(votes ‖ prediction) in nats, the prediction smoothed, see `fer.evaluation.agreement.SMOOTHING`."""
    jensen_shannon: float
    """0..1: the distance, the square root of the divergence with base 2."""


@dataclass(frozen=True)
class AgreementBin:
    """The pictures on which a certain share of the raters chose the top label."""

    above: float
    """Lower bound of the share, 0..1, exclusive."""
    up_to: float
    n: int
    accuracy: Estimate | None
    """None if there are no pictures."""


@dataclass(frozen=True)
class Agreement:
    """The model compared with a single human rater, both against the other raters of the same pictures."""

    n: int
    """Pictures with at least two votes for expressions."""
    votes_per_picture: float
    """Mean number of votes, including those for no expression."""
    rater: Estimate
    """How often one rater agrees with most of the others, 0..1."""
    model: Estimate
    """How often the model agrees with most of the same raters."""
    difference: Estimate
    """Model minus rater, on the same pictures."""
    rater_distances: Distances
    """From one rater's vote to the votes of the others."""
    model_distances: Distances
    """From the model's probabilities to the same votes."""
    smoothing: float
    by_agreement: tuple[AgreementBin, ...]


@dataclass(frozen=True)
class DisturbedAccuracy:
    """The model's accuracy on pictures degraded in one way."""

    name: str
    setting: str
    n: int
    accuracy: Estimate
    difference: Estimate
    """Paired difference from the original pictures."""


@dataclass(frozen=True)
class Robustness:
    """The model's accuracy on degraded pictures, compared with the original ones."""

    n: int
    of: int
    """Number of pictures from which the n were drawn at random."""
    seed: int
    clean: Estimate
    disturbed: tuple[DisturbedAccuracy, ...]


@dataclass(frozen=True)
class Speed:
    """The size of the model, and its speed on one thread of the machine that evaluated it."""

    parameters: int
    file_bytes: int
    milliseconds_per_face: float
    """Median over `repeats`, one face at a time, from the cropped picture to the probabilities."""
    repeats: int
    processor: str
