"""Curves and their areas."""

import numpy as np
import pytest
from sklearn.metrics import auc, average_precision_score, roc_auc_score

from fer.evaluation.metrics import MOST_POINTS, curves


def test_a_case_by_hand() -> None:
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.2, 0.8]])
    found = curves(probabilities, np.array([0, 1, 0, 1]), ("yes", "no"))["yes"]
    # Of the four pairs of a positive and a negative, three are in order.
    assert found.roc.area == 0.75
    assert list(zip(found.roc.x, found.roc.y, strict=True)) == [(0, 0), (0, 0.5), (0.5, 0.5), (0.5, 1), (1, 1)]
    assert found.precision_recall.area == pytest.approx((1 + 2 / 3) / 2)
    assert found.precision_recall.x[0] == 0 and found.precision_recall.x[-1] == 1


@pytest.mark.parametrize("seed", range(3))
def test_areas_match_scikit_learn_and_thinning_hardly_moves_the_line(seed: int) -> None:
    random = np.random.default_rng(seed)
    truth = random.integers(0, 3, 5000)
    logits = random.normal(0, 1, (5000, 3)) + 1.0 * np.eye(3)[truth]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    for index, found in enumerate(curves(probabilities, truth, ("a", "b", "c")).values()):
        is_label = truth == index
        assert found.roc.area == pytest.approx(roc_auc_score(is_label, probabilities[:, index]))
        assert found.precision_recall.area == pytest.approx(average_precision_score(is_label, probabilities[:, index]))
        for curve in (found.roc, found.precision_recall):
            assert len(curve.x) == len(curve.y) <= MOST_POINTS
            assert (curve.x[0], curve.x[-1]) == (0, 1)
            assert list(curve.x) == sorted(curve.x)
            assert auc(curve.x, curve.y) == pytest.approx(curve.area, abs=0.01)


def test_a_label_without_pictures_has_no_curve_but_a_reason() -> None:
    probabilities = np.array([[0.7, 0.2, 0.1], [0.6, 0.3, 0.1]])
    found = curves(probabilities, np.array([0, 0]), ("all", "none", "neither"))
    assert (found["none"].roc.area, found["none"].roc.x) == (None, ())
    assert found["none"].roc.missing == found["none"].precision_recall.missing
    assert found["none"].roc.missing and "none" in found["none"].roc.missing
    assert found["all"].roc.missing and "all" in found["all"].roc.missing
    assert found["all"].precision_recall.area == 1
