"""Calibration figures by hand and by the published formulas."""

import math

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.metrics import brier_score_loss, log_loss

from fer.evaluation.metrics import negative_log_likelihood, reliability


def calibration_error(probabilities: npt.NDArray[np.float64], truth: npt.NDArray[np.int64], bins: int = 15) -> float:
    return reliability(probabilities, truth, 1.0, bins).expected_calibration_error


def brier_score(probabilities: npt.NDArray[np.float64], truth: npt.NDArray[np.int64]) -> float:
    return reliability(probabilities, truth, 1.0).brier_score


def _certain(predicted: list[int], confidence: float) -> npt.NDArray[np.float64]:
    """Return probabilities (n, 4) whose maxima are `confidence` at the predicted labels."""
    return np.where(np.eye(4)[predicted] == 1, confidence, (1 - confidence) / 3)


def _random(seed: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    random = np.random.default_rng(seed)
    return random.dirichlet([0.4] * 5, 500), random.integers(0, 5, 500)


def test_bins_are_weighted_by_their_pictures() -> None:
    # Confidence 0.95 and 3 of 4 correct: 0.20 overconfident. Confidence 0.5 and 2 of 2 correct: 0.50 underconfident.
    probabilities = np.vstack([_certain([0, 0, 0, 0], 0.95), _certain([1, 1], 0.5)])
    truth = np.array([0, 0, 0, 1, 1, 1])
    assert calibration_error(probabilities, truth, bins=10) == pytest.approx((4 * 0.20 + 2 * 0.50) / 6)
    # In one bin the two errors partly cancel: the mean confidence is 0.8, the accuracy 5 / 6.
    assert calibration_error(probabilities, truth, bins=1) == pytest.approx(5 / 6 - 0.8)


def test_full_confidence_falls_into_the_last_bin() -> None:
    probabilities = _certain([0, 1], confidence=1.0)
    assert calibration_error(probabilities, np.array([0, 1])) == 0
    assert calibration_error(probabilities, np.array([1, 0])) == 1


def test_the_diagram_counts_each_picture_once() -> None:
    probabilities = np.vstack([_certain([0, 0, 0, 0], 0.95), _certain([1, 1], 0.5)])
    found = reliability(probabilities, np.array([0, 0, 0, 1, 1, 1]), temperature=2.0, bins=10)
    assert found.temperature == 2.0
    assert [one.n for one in found.bins] == [0, 0, 0, 0, 0, 2, 0, 0, 0, 4]
    assert (found.bins[0].confidence, found.bins[0].accuracy) == (None, None)
    assert (found.bins[5].low, found.bins[5].high) == (0.5, 0.6)
    assert (found.bins[5].confidence, found.bins[5].accuracy) == (0.5, 1.0)
    assert (found.bins[9].confidence, found.bins[9].accuracy) == (pytest.approx(0.95), 0.75)


@pytest.mark.parametrize("seed", range(5))
def test_the_error_matches_the_papers_formula(seed: int) -> None:
    probabilities, truth = _random(seed)
    found = reliability(probabilities, truth, temperature=1.0)
    assert len(found.bins) == 15 and sum(one.n for one in found.bins) == 500
    expected, confidence = 0.0, probabilities.max(axis=1)
    for low in range(15):  # Guo et al. 2017, equation 3
        inside = (confidence >= low / 15) & (confidence < (low + 1) / 15)
        if inside.any():
            accuracy = (probabilities[inside].argmax(axis=1) == truth[inside]).mean()
            expected += inside.sum() / 500 * abs(accuracy - confidence[inside].mean())
    assert found.expected_calibration_error == pytest.approx(expected)


def test_brier_by_hand() -> None:
    probabilities = np.array([[0.7, 0.2, 0.1], [0.0, 1.0, 0.0]])
    assert brier_score(probabilities, np.array([0, 0])) == pytest.approx((0.3**2 + 0.2**2 + 0.1**2 + 1 + 1) / 2)


@pytest.mark.parametrize("seed", range(3))
def test_brier_and_likelihood_equal_scikit_learns(seed: int) -> None:
    probabilities, truth = _random(seed)
    one_hot = np.eye(5)[truth]
    by_label = [brier_score_loss(one_hot[:, label], probabilities[:, label]) for label in range(5)]
    assert brier_score(probabilities, truth) == pytest.approx(sum(by_label))
    assert negative_log_likelihood(probabilities, truth) == pytest.approx(log_loss(truth, probabilities))


def test_a_truth_of_probability_zero_has_a_finite_cost() -> None:
    assert negative_log_likelihood(_certain([0], 1.0), np.array([1])) == pytest.approx(-math.log(1e-12))
