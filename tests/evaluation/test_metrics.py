"""Figures about predictions, each computed by hand."""

import math

import numpy as np
import numpy.typing as npt
import pytest

from fer.evaluation.metrics import ClassMetrics, expected_calibration_error, measure

LABELS = ("fear", "anger", "tired", "awake")


def _certain(predicted: list[int], confidence: float = 0.7) -> npt.NDArray[np.float64]:
    """Return probabilities (n, 4) whose maxima are `confidence` at the predicted labels."""
    rest = (1 - confidence) / 3
    return np.where(np.eye(4)[predicted] == 1, confidence, rest)


TRUTH = np.array([0, 0, 0, 1, 1, 2])
PREDICTED = [0, 0, 1, 1, 3, 0]


def test_counts_and_ratios() -> None:
    metrics = measure(_certain(PREDICTED), TRUTH, LABELS)
    assert metrics.n == 6
    assert metrics.accuracy == pytest.approx(3 / 6)
    assert metrics.confusion.tolist() == [[2, 1, 0, 0], [0, 1, 0, 1], [1, 0, 0, 0], [0, 0, 0, 0]]
    assert list(metrics.per_class) == list(LABELS)
    fear, anger = metrics.per_class["fear"], metrics.per_class["anger"]
    assert (fear.precision, fear.recall, fear.f1, fear.support) == pytest.approx((2 / 3, 2 / 3, 2 / 3, 3))
    assert (anger.precision, anger.recall, anger.f1, anger.support) == pytest.approx((1 / 2, 1 / 2, 1 / 2, 2))


def test_a_ratio_with_nothing_to_divide_by_is_zero() -> None:
    metrics = measure(_certain(PREDICTED), TRUTH, LABELS)
    assert metrics.per_class["tired"] == ClassMetrics(0.0, 0.0, 0.0, 1)
    assert metrics.per_class["awake"] == ClassMetrics(0.0, 0.0, 0.0, 0)


def test_the_mean_f1_leaves_out_labels_that_do_not_occur() -> None:
    assert measure(_certain(PREDICTED), TRUTH, LABELS).macro_f1 == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)


def test_the_mean_of_minus_the_logarithm_of_the_truths_probability() -> None:
    metrics = measure(_certain(PREDICTED), TRUTH, LABELS)
    assert metrics.negative_log_likelihood == pytest.approx(-(3 * math.log(0.7) + 3 * math.log(0.1)) / 6)


def test_a_truth_of_no_probability_costs_much_but_not_everything() -> None:
    metrics = measure(_certain([0], confidence=1.0), np.array([1]), LABELS)
    assert metrics.negative_log_likelihood == pytest.approx(-math.log(1e-12))


def test_the_calibration_error_of_one_bin_is_confidence_less_accuracy() -> None:
    assert measure(_certain(PREDICTED), TRUTH, LABELS).calibration_error == pytest.approx(0.7 - 0.5)


def test_bins_are_weighted_by_their_pictures() -> None:
    # Confidence 0.95 and 3 of 4 right: 0.20 too sure. Confidence 0.5 and 2 of 2 right: 0.50 too timid.
    probabilities = np.vstack([_certain([0, 0, 0, 0], 0.95), _certain([1, 1], 0.5)])
    truth = np.array([0, 0, 0, 1, 1, 1])
    assert expected_calibration_error(probabilities, truth, bins=10) == pytest.approx((4 * 0.20 + 2 * 0.50) / 6)
    # In one bin the two errors cancel in part: the mean confidence is 0.8, the accuracy 5 / 6.
    assert expected_calibration_error(probabilities, truth, bins=1) == pytest.approx(5 / 6 - 0.8)


def test_full_confidence_falls_into_the_last_bin() -> None:
    probabilities = _certain([0, 1], confidence=1.0)
    assert expected_calibration_error(probabilities, np.array([0, 1])) == 0
    assert expected_calibration_error(probabilities, np.array([1, 0])) == 1


def test_perfect_predictions() -> None:
    metrics = measure(_certain([0, 1, 2, 3], confidence=1.0), np.arange(4), LABELS)
    assert (metrics.accuracy, metrics.macro_f1, metrics.calibration_error) == (1, 1, 0)
    assert metrics.negative_log_likelihood == pytest.approx(0)
    assert metrics.confusion.tolist() == np.eye(4).tolist()


def test_one_picture_is_enough() -> None:
    metrics = measure(_certain([3]), np.array([3]), LABELS)
    assert (metrics.n, metrics.accuracy, metrics.macro_f1) == (1, 1, 1)
