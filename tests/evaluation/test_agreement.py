"""The model compared with raters, calculated by hand."""

import math

import numpy as np
import numpy.typing as npt
import pytest
from scipy.spatial.distance import jensenshannon

from fer.evaluation.agreement import SMOOTHING, agreement
from fer.evaluation.figures import Agreement


def _measure(votes: list[list[int]], probabilities: list[list[float]], other: list[int] | None = None) -> Agreement:
    table = np.array(votes, float)
    return agreement(table, np.array(other or [0] * len(votes), float), np.array(probabilities), table.argmax(axis=1))


def test_unanimous_raters() -> None:
    found = _measure([[10, 0, 0]], [[0.2, 0.7, 0.1]])
    assert (found.n, found.votes_per_picture) == (1, 10)
    assert (found.rater.value, found.model.value, found.difference.value) == (1, 0, -1)
    assert found.rater_distances.jensen_shannon == 0
    assert found.rater_distances.kullback_leibler == pytest.approx(-math.log(1 - SMOOTHING + SMOOTHING / 3))


def test_one_against_two() -> None:
    # Without one of the two, one vote each is left: both lead, each counts half. Without the third, the two lead.
    found = _measure([[2, 1, 0]], [[0.6, 0.3, 0.1]])
    assert found.rater.value == pytest.approx((2 * 0.5 + 0) / 3)
    assert found.model.value == pytest.approx((2 * 0.5 + 1) / 3)


def test_a_vote_for_no_expression_agrees_with_nobody_and_does_not_lead() -> None:
    # Each of the three is compared with 2 votes and 5 "unknown", where the expression leads; the five with 3.
    found = _measure([[3, 0]], [[0.9, 0.1]], other=[5])
    assert found.rater.value == pytest.approx(3 / 8)
    assert found.model.value == 1
    assert found.votes_per_picture == 8


def test_it_equals_leaving_out_one_rater_after_another() -> None:
    random = np.random.default_rng(0)
    votes, other = random.multinomial(9, [0.6, 0.2, 0.1, 0.1], size=40), random.integers(0, 3, 40)
    probabilities = random.dirichlet([1] * 4, 40)
    rater, model, distances = [], [], []
    for picture, unknown, answer in zip(votes, other, probabilities, strict=True):
        raters = [*np.repeat(np.arange(4), picture), *[-1] * unknown]
        agrees, says, far = [], [], []
        for own in raters:
            others = picture - (np.arange(4) == own)
            leads = np.flatnonzero(others == others.max())
            agrees.append((own in leads) / len(leads))
            says.append((answer.argmax() in leads) / len(leads))
            if own >= 0:
                far.append([jensenshannon(others, one, base=2) for one in (np.eye(4)[own], answer)])
        rater.append(np.mean(agrees))
        model.append(np.mean(says))
        distances.append(np.mean(far, axis=0))
    found = agreement(votes.astype(float), other.astype(float), probabilities, votes.argmax(axis=1))
    assert found.rater.value == pytest.approx(np.mean(rater))
    assert found.model.value == pytest.approx(np.mean(model))
    assert found.difference.value == pytest.approx(np.mean(model) - np.mean(rater))
    assert [
        found.rater_distances.jensen_shannon,
        found.model_distances.jensen_shannon,
    ] == pytest.approx(np.mean(distances, axis=0))


def test_the_divergence_is_from_the_others_votes_to_the_smoothed_answer() -> None:
    found = _measure([[4, 0]], [[0.25, 0.75]])
    smooth = 0.25 * (1 - SMOOTHING) + SMOOTHING / 2
    assert found.model_distances.kullback_leibler == pytest.approx(math.log(1 / smooth))
    assert found.smoothing == SMOOTHING


def test_pictures_with_one_vote_do_not_count() -> None:
    nothing = np.zeros(3)
    assert agreement(np.eye(3), nothing, np.eye(3), np.arange(3)) is None
    assert agreement(np.array([[1.0, 0, 0], [2, 0, 0]]), nothing[:2], np.eye(3)[:2], np.arange(2)) is not None
    found = _measure([[1, 0], [0, 3]], [[0.9, 0.1], [0.2, 0.8]])
    assert (found.n, found.votes_per_picture) == (1, 3)


def test_accuracy_by_how_many_agree() -> None:
    votes = [[10, 0], [9, 1], [5, 5], [6, 4], [6, 4]]
    probabilities: npt.NDArray[np.float64] = np.array([[0.9, 0.1]] * 4 + [[0.1, 0.9]])
    found = _measure(votes, probabilities.tolist())
    assert [(group.up_to, group.n) for group in found.by_agreement] == [
        *((0.5, 1), (0.6, 2), (0.7, 0)),
        *((0.8, 0), (0.9, 1), (1.0, 1)),
    ]
    accuracies = [group.accuracy.value if group.accuracy else None for group in found.by_agreement]
    assert accuracies == [1, 0.5, None, None, 1, 1]
