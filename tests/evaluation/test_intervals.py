"""Intervals match textbooks, and have the nominal coverage in a simulation."""

import numpy as np
import pytest

from fer.evaluation import confusions
from fer.evaluation.figures import Estimate
from fer.evaluation.intervals import bootstrap, bootstrap_mean, f1_score, share

EVERYBODY = np.array([[450, 30, 20], [60, 220, 20], [50, 30, 120]])
"""A confusion matrix of a thousand pictures."""


def _holds(interval: Estimate, truth: float) -> bool:
    assert interval.low is not None and interval.high is not None
    assert interval.low <= interval.value <= interval.high
    return interval.low <= truth <= interval.high


def test_a_share_has_wilsons_interval() -> None:
    # Newcombe 1998, Statistics in Medicine 17, table I, method 3.
    for part, total, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)):
        interval = share(part, total)
        assert interval.value == part / total
        assert (interval.low, interval.high) == pytest.approx((low, high), abs=5e-5)


def test_the_share_of_nothing_is_zero_without_an_interval() -> None:
    assert share(0, 0) == Estimate(0.0, None, None)
    assert f1_score(0, 0, 0) == Estimate(0.0, None, None)


@pytest.mark.parametrize(("right", "predicted", "support"), [(3, 8, 5), (0, 4, 3), (7, 7, 7), (40, 90, 55)])
def test_an_f1_is_the_harmonic_mean_and_within_its_interval(right: int, predicted: int, support: int) -> None:
    found = f1_score(right, predicted, support)
    assert found.value == pytest.approx(2 * right / (predicted + support))
    assert _holds(found, found.value)


def test_the_bootstrap_of_a_mean_has_the_width_of_theory() -> None:
    values = np.repeat([0.0, 1.0], [300, 700])
    interval = bootstrap_mean(values)
    error = np.sqrt(0.7 * 0.3 / 1000)
    assert interval.value == 0.7
    assert (interval.low, interval.high) == pytest.approx((0.7 - 1.96 * error, 0.7 + 1.96 * error), abs=0.002)


def test_a_mean_of_fractions_is_resampled_like_any_other() -> None:
    values = np.random.default_rng(0).beta(2, 5, 400)
    interval = bootstrap_mean(values)
    error = values.std() / np.sqrt(400)
    assert interval.value == pytest.approx(values.mean())
    assert (interval.low, interval.high) == pytest.approx(
        (values.mean() - 1.96 * error, values.mean() + 1.96 * error), abs=0.1 * error
    )


def test_the_bootstrap_is_reproducible() -> None:
    counts = np.array([5, 3, 2])
    first, second = (bootstrap(counts, lambda drawn: drawn[:, 0] / 10) for _ in range(2))
    assert first == second
    assert bootstrap(np.array([7, 0]), lambda drawn: drawn[:, 0] / 7) == Estimate(1.0, 1.0, 1.0)


@pytest.mark.slow
def test_intervals_have_their_nominal_coverage() -> None:
    """150 samples of 300 pictures: 95 % coverage within the standard error of 150 samples, 1.8 points."""
    random = np.random.default_rng(1)
    true = {of: float(of(EVERYBODY[None])[0]) for of in (confusions.accuracy, confusions.macro_f1)}
    rare_recall, rare_f1 = 120 / 200, 2 * 120 / (200 + 160)
    held = np.zeros(4)
    for _ in range(150):
        sample = random.multinomial(300, EVERYBODY.ravel() / 1000)
        matrix = sample.reshape(3, 3)
        right, support, predicted = matrix[2, 2], matrix[2].sum(), matrix[:, 2].sum()
        held += [
            *(_holds(bootstrap(sample, lambda drawn, of=of: of(drawn.reshape(-1, 3, 3))), true[of]) for of in true),
            _holds(share(right, support), rare_recall),
            _holds(f1_score(right, predicted, support), rare_f1),
        ]
    assert held / 150 == pytest.approx([0.95] * 4, abs=0.045)
