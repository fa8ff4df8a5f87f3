"""What is measured of a model, as plain values: all of it goes into a report's JSON and comes back the same."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval."""

    value: float
    low: float | None
    """None, as `high`, where there is nothing that an interval could be had from."""
    high: float | None


@dataclass(frozen=True)
class ClassFigures:
    """How one label fares, 0..1. A ratio with nothing to divide by is 0, without an interval."""

    precision: Estimate
    recall: Estimate
    f1: Estimate
    support: int
    """How many pictures truly have this label."""
    predicted: int
    """How many pictures the model gives this label."""


@dataclass(frozen=True)
class Curve:
    """A line through points, and the area below it."""

    x: tuple[float, ...]
    """0..1, at most 200 points; none where there is no curve."""
    y: tuple[float, ...]
    """0..1"""
    area: float | None
    """0..1, of all points, not of those kept only."""
    missing: str | None
    """Why there is no curve."""


@dataclass(frozen=True)
class ClassCurves:
    """One label against all others, over all thresholds of its probability."""

    roc: Curve
    """x: false positive rate, y: true positive rate."""
    precision_recall: Curve
    """x: recall, y: precision; the area is the average precision."""


@dataclass(frozen=True)
class ReliabilityBin:
    """The pictures whose confidence lies between two bounds."""

    low: float
    high: float
    n: int
    confidence: float | None
    """Mean probability of the predicted label, 0..1; None in an empty bin."""
    accuracy: float | None


@dataclass(frozen=True)
class Reliability:
    """Whether a confidence of 80 % is right in 80 % of cases."""

    temperature: float
    """What the logits were divided by."""
    bins: tuple[ReliabilityBin, ...]
    expected_calibration_error: float
    """0..1: mean distance between confidence and accuracy over bins of equal width (Naeini et al. 2015)."""
    brier_score: float
    """0..2: squared distance between the probabilities and the truth, summed over the labels (Brier 1950)."""
    negative_log_likelihood: float
    """Mean of −ln of the probability of the true label."""


@dataclass(frozen=True)
class Distances:
    """How far an answer is from the votes of a picture's raters, on average."""

    kullback_leibler: float
    """KL(votes ‖ answer) in nats, the answer smoothed, see `fer.evaluation.agreement.SMOOTHING`."""
    jensen_shannon: float
    """0..1: the distance, the root of the divergence to the base 2."""


@dataclass(frozen=True)
class AgreementBin:
    """The pictures on which a certain share of the raters chose the top label."""

    above: float
    """The share is larger than this, 0..1."""
    up_to: float
    n: int
    accuracy: Estimate | None
    """None without pictures."""


@dataclass(frozen=True)
class Agreement:
    """The model beside a single human rater, both against the other raters of the same pictures."""

    n: int
    """Pictures that two raters or more gave an expression."""
    votes_per_picture: float
    """Mean number of votes, those for no expression included."""
    rater: Estimate
    """Share in which one rater names what most of the others name, 0..1."""
    model: Estimate
    """Share in which the model names what most of the same others name."""
    difference: Estimate
    """Model less rater, on the same pictures."""
    rater_distances: Distances
    """Of one rater's vote to those of the others."""
    model_distances: Distances
    """Of the model's probabilities to the same votes."""
    smoothing: float
    by_agreement: tuple[AgreementBin, ...]


@dataclass(frozen=True)
class DisturbedAccuracy:
    """How the model fares on pictures that were made worse."""

    name: str
    setting: str
    n: int
    accuracy: Estimate
    difference: Estimate
    """To the pictures as they are, paired."""


@dataclass(frozen=True)
class Robustness:
    """How the model fares on pictures that were made worse, beside the same pictures as they are."""

    n: int
    of: int
    """How many pictures the n were drawn from, without looking."""
    seed: int
    clean: Estimate
    disturbed: tuple[DisturbedAccuracy, ...]


@dataclass(frozen=True)
class Speed:
    """How large the model is, and how fast on one thread of the machine that measured it."""

    parameters: int
    file_bytes: int
    milliseconds_per_face: float
    """Median over `repeats`, one face at a time, from the cropped picture to the probabilities."""
    repeats: int
    processor: str
