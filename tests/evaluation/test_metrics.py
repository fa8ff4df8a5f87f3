"""Metrics of predictions, each calculated by hand."""

import math

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.metrics import precision_recall_fscore_support, top_k_accuracy_score

from fer.evaluation import confusions
from fer.evaluation.figures import Estimate
from fer.evaluation.metrics import accuracy, class_figures, measure, resampled, top_two_accuracy

LABELS = ("fear", "anger", "tired", "awake")


def _certain(predicted: list[int], confidence: float = 0.7) -> npt.NDArray[np.float64]:
    """Return probabilities (n, 4) whose maxima are `confidence` at the predicted labels."""
    rest = (1 - confidence) / 3
    return np.where(np.eye(4)[predicted] == 1, confidence, rest)


TRUTH = np.array([0, 0, 0, 1, 1, 2])
PREDICTED = [0, 0, 1, 1, 3, 0]


def test_counts_and_ratios() -> None:
    metrics = measure(_certain(PREDICTED), TRUTH)
    assert metrics.accuracy == pytest.approx(3 / 6)
    assert metrics.confusion.tolist() == [[2, 1, 0, 0], [0, 1, 0, 1], [1, 0, 0, 0], [0, 0, 0, 0]]
    fear, anger, *_ = class_figures(metrics.confusion, LABELS).values()
    assert (fear.precision.value, fear.recall.value, fear.f1.value) == pytest.approx((2 / 3,) * 3)
    assert (fear.support, anger.support) == (3, 2)
    assert (anger.precision.value, anger.recall.value, anger.f1.value, anger.support) == pytest.approx(
        (0.5,) * 3 + (2,)
    )


def test_the_mean_f1_leaves_out_labels_that_do_not_occur() -> None:
    assert measure(_certain(PREDICTED), TRUTH).macro_f1 == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)


def test_the_mean_of_minus_the_logarithm_of_the_truths_probability() -> None:
    metrics = measure(_certain(PREDICTED), TRUTH)
    assert metrics.negative_log_likelihood == pytest.approx(-(3 * math.log(0.7) + 3 * math.log(0.1)) / 6)


def test_perfect_predictions() -> None:
    metrics = measure(_certain([0, 1, 2, 3], confidence=1.0), np.arange(4))
    assert (metrics.accuracy, metrics.macro_f1) == (1, 1)
    assert metrics.negative_log_likelihood == pytest.approx(0)
    assert metrics.confusion.tolist() == np.eye(4).tolist()


def test_one_picture_is_enough() -> None:
    metrics = measure(_certain([3]), np.array([3]))
    assert (metrics.accuracy, metrics.macro_f1) == (1, 1)


# ---------------------------------------------------------------------------------------------- with intervals


def _confusion() -> npt.NDArray[np.int64]:
    return measure(_certain(PREDICTED), TRUTH).confusion


def test_figures_of_the_matrix_have_an_interval_around_them() -> None:
    names = ("accuracy", "balanced_accuracy", "macro_precision", "macro_f1")
    figures = {name: resampled(getattr(confusions, name), _confusion()) for name in names}
    precision, recall, f1, _ = precision_recall_fscore_support(TRUTH, PREDICTED, labels=[0, 1, 2], zero_division=0)
    expected = 3 / 6, recall.mean(), precision.mean(), f1.mean()
    assert [figure.value for figure in figures.values()] == pytest.approx(expected)
    for figure in figures.values():
        assert figure.low is not None and figure.high is not None
        assert 0 <= figure.low < figure.value < figure.high <= 1


def test_an_accuracy_of_one_is_not_certain() -> None:
    found = accuracy(np.diag([10, 10]))
    assert found.value == 1.0 and found.low is not None and 0.8 < found.low < 0.9
    assert accuracy(_confusion()) == resampled(confusions.accuracy, _confusion())


def test_classes_have_score_intervals_and_none_where_there_is_nothing() -> None:
    figures = class_figures(_confusion(), LABELS)
    expected = precision_recall_fscore_support(TRUTH, PREDICTED, labels=range(4), zero_division=0)
    for one, precision, recall, f1, support in zip(figures.values(), *expected, strict=True):
        assert (one.precision.value, one.recall.value) == pytest.approx((precision, recall))
        assert (one.f1.value, one.support) == pytest.approx((f1, support))
    assert [one.predicted for one in figures.values()] == [3, 2, 0, 1]
    assert figures["tired"].precision == Estimate(0.0, None, None)
    assert figures["awake"].recall == Estimate(0.0, None, None)
    tired = figures["tired"].recall
    assert tired.low == pytest.approx(0) and tired.high == pytest.approx(0.7935, abs=1e-4)  # Wilson, 0 of 1


def test_one_of_the_two_most_probable() -> None:
    probabilities = np.array([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2], [0.5, 0.3, 0.2], [0.1, 0.2, 0.7]])
    found = top_two_accuracy(probabilities, np.array([0, 1, 2, 1]))
    assert found.value == 0.75
    random = np.random.default_rng(0)
    probabilities, truth = random.dirichlet([1] * 6, 300), random.integers(0, 6, 300)
    expected = top_k_accuracy_score(truth, probabilities, k=2, labels=np.arange(6))
    assert top_two_accuracy(probabilities, truth).value == pytest.approx(expected)
