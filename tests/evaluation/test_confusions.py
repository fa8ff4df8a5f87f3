"""Figures of many matrices at once match scikit-learn's, one at a time."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score

from fer.evaluation import confusions


@pytest.mark.parametrize("seed", range(5))
def test_they_match_scikit_learn(seed: int) -> None:
    random = np.random.default_rng(seed)
    truth, predicted = random.choice(5, (2, 60), p=[0.5, 0.3, 0.1, 0.08, 0.02])
    matrix = np.zeros((2, 5, 5), int)
    np.add.at(matrix[0], (truth, predicted), 1)
    matrix[1] = matrix[0].T
    present = np.unique(truth)
    assert confusions.accuracy(matrix)[0] == pytest.approx(accuracy_score(truth, predicted))
    for ours, theirs in (
        (confusions.balanced_accuracy, recall_score),
        (confusions.macro_f1, f1_score),
        (confusions.macro_precision, precision_score),
    ):
        expected = theirs(truth, predicted, labels=present, average="macro", zero_division=0)
        assert ours(matrix)[0] == pytest.approx(expected)
    assert confusions.accuracy(matrix)[1] == confusions.accuracy(matrix)[0]


def test_a_label_without_pictures_is_left_out() -> None:
    matrix = np.array([[[2, 1, 1], [0, 1, 0], [0, 0, 0]]])
    assert confusions.balanced_accuracy(matrix) == pytest.approx([(2 / 4 + 1) / 2])
    assert confusions.macro_precision(matrix) == pytest.approx([(1 + 1 / 2) / 2])
    assert confusions.macro_f1(matrix) == pytest.approx([(4 / 6 + 2 / 3) / 2])
