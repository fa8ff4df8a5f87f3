"""The selection of pictures to review."""

import numpy as np

from fer.evaluation.predictions import Predictions
from fer.evaluation.review import least_sure, likely_label_errors, worst_mistakes


def _predictions(probabilities: list[list[float]], truth: list[int]) -> Predictions:
    count, labels = len(truth), len(probabilities[0])
    return Predictions(
        labels=tuple("abcdef"[:labels]),
        rows=np.arange(count),
        names=tuple(f"picture {number}" for number in range(count)),
        splits=np.full(count, "test"),
        truth=np.array(truth),
        votes=np.eye(labels)[truth],
        other_votes=np.zeros(count),
        probabilities=np.array(probabilities),
    )


def test_the_worst_mistake_has_the_highest_confidence() -> None:
    found = _predictions([[0.9, 0.1], [0.4, 0.6], [0.05, 0.95], [0.99, 0.01]], [1, 0, 0, 0])
    assert worst_mistakes(found).tolist() == [2, 0, 1]
    assert worst_mistakes(found, 1).tolist() == [2]


def test_no_mistake_is_nothing_to_look_at() -> None:
    assert worst_mistakes(_predictions([[0.9, 0.1]], [0])).tolist() == []


def test_the_least_sure_has_two_equally_probable_labels() -> None:
    found = _predictions([[0.5, 0.3, 0.2], [0.45, 0.44, 0.11], [0.9, 0.1, 0.0]], [0, 0, 0])
    assert least_sure(found).tolist() == [1, 0, 2]
    assert least_sure(_predictions([[1.0]], [0])).tolist() == []


def test_a_label_is_doubtful_if_another_exceeds_its_threshold() -> None:
    # Thresholds: a (0.9 + 0.8 + 0.1) / 3 = 0.6, b (0.9 + 0.45) / 2 = 0.675.
    probabilities = [[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.1, 0.9], [0.55, 0.45]]
    found = _predictions(probabilities, [0, 0, 0, 1, 1])
    assert likely_label_errors(found).tolist() == [2], "the last one is a mistake of the model, below the threshold"


def test_an_unused_label_is_never_suggested() -> None:
    assert likely_label_errors(_predictions([[0.3, 0.0, 0.7], [0.6, 0.1, 0.3]], [0, 0])).tolist() == []


def test_the_order_is_by_the_difference() -> None:
    probabilities = [[0.9, 0.1], [0.2, 0.8], [0.05, 0.95], [0.3, 0.7], [0.2, 0.8]]
    assert likely_label_errors(_predictions(probabilities, [0, 0, 0, 1, 1])).tolist() == [2, 1]
