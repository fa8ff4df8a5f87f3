"""An average over time, and a label that does not flicker."""

import math
from itertools import pairwise

import numpy as np
import pytest

from fer.video.smoothing import SWITCH_MARGIN, ExpressionSmoother

TIME_CONSTANT_SECONDS = 0.6


def test_the_first_reading_is_shown_unchanged() -> None:
    smoother = ExpressionSmoother()
    assert not smoother.probabilities
    smoother.update((0.2, 0.7, 0.1), 1000.0, TIME_CONSTANT_SECONDS)
    assert smoother.probabilities == (0.2, 0.7, 0.1)
    assert smoother.held == 1


@pytest.mark.parametrize("updates_per_second", [1, 10, 30, 100])
def test_after_the_time_constant_an_old_impression_counts_a_third(updates_per_second: int) -> None:
    smoother = ExpressionSmoother()
    smoother.update((0.6, 0.4), 50.0, 2.0)
    for step in range(2 * updates_per_second):
        smoother.update((0.4, 0.6), 50.0 + (step + 1) / updates_per_second, 2.0)
    old = math.exp(-1)
    assert smoother.probabilities == pytest.approx((0.6 * old + 0.4 * (1 - old), 0.4 * old + 0.6 * (1 - old)))


def test_the_average_depends_on_time_and_not_on_the_frame_rate() -> None:
    """A slow wave, sampled 10 and 30 times per second."""
    ends = []
    for updates_per_second in (10, 30):
        smoother = ExpressionSmoother()
        for step in range(3 * updates_per_second + 1):
            seconds = step / updates_per_second
            wave = 0.5 + 0.4 * math.sin(2 * math.pi * seconds / 4)
            smoother.update((wave, 1 - wave), seconds, TIME_CONSTANT_SECONDS)
        ends.append(smoother.probabilities)
    assert ends[0] == pytest.approx(ends[1], abs=0.04)


def test_probabilities_stay_probabilities() -> None:
    smoother = ExpressionSmoother()
    random = np.random.default_rng(0)
    for step in range(200):
        smoother.update(random.dirichlet((1, 1, 1)).tolist(), step / 15, TIME_CONSTANT_SECONDS)
        assert sum(smoother.probabilities) == pytest.approx(1)
        assert min(smoother.probabilities) >= 0


def test_a_label_holds_while_another_is_ahead_by_less_than_the_margin() -> None:
    smoother = ExpressionSmoother()
    smoother.update((0.6, 0.4), 0.0, TIME_CONSTANT_SECONDS)
    lead = SWITCH_MARGIN - 0.02
    for step in range(1, 300):
        smoother.update((0.5 - lead / 2, 0.5 + lead / 2), step / 15, TIME_CONSTANT_SECONDS)
    assert smoother.probabilities[1] - smoother.probabilities[0] == pytest.approx(lead, abs=1e-3)
    assert smoother.held == 0


def test_a_label_gives_way_to_one_that_is_clearly_ahead_and_comes_back_as_hard() -> None:
    smoother = ExpressionSmoother()
    smoother.update((0.6, 0.4), 0.0, TIME_CONSTANT_SECONDS)
    for step in range(1, 60):
        smoother.update((0.2, 0.8), step / 15, TIME_CONSTANT_SECONDS)
    assert smoother.held == 1
    for step in range(60, 200):
        smoother.update((0.55, 0.45), step / 15, TIME_CONSTANT_SECONDS)
    assert smoother.held == 1
    for step in range(200, 300):
        smoother.update((0.7, 0.3), step / 15, TIME_CONSTANT_SECONDS)
    assert smoother.held == 0


def test_a_change_of_expression_is_shown_within_a_second() -> None:
    smoother = ExpressionSmoother()
    smoother.update((0.9, 0.1), 0.0, TIME_CONSTANT_SECONDS)
    moments = [step / 15 for step in range(1, 60)]
    shown = []
    for seconds in moments:
        smoother.update((0.1, 0.9), seconds, TIME_CONSTANT_SECONDS)
        shown.append(smoother.held)
    assert moments[shown.index(1)] < 1.0


def test_without_smoothing_each_reading_is_shown_unchanged() -> None:
    smoother = ExpressionSmoother()
    for step, probabilities in enumerate([(0.9, 0.1), (0.49, 0.51), (0.51, 0.49), (0.0, 1.0)]):
        smoother.update(probabilities, step / 30, 0.0)
        assert smoother.probabilities == probabilities
        assert smoother.held == probabilities.index(max(probabilities))


def test_two_updates_in_the_same_moment_are_no_error() -> None:
    smoother = ExpressionSmoother()
    smoother.update((0.7, 0.3), 5.0, TIME_CONSTANT_SECONDS)
    smoother.update((0.3, 0.7), 5.0, TIME_CONSTANT_SECONDS)
    assert smoother.probabilities == (0.7, 0.3)


@pytest.mark.parametrize("seed", range(5))
def test_a_noisy_sequence_flickers_at_most_a_fifth_as_often(seed: int) -> None:
    """A face between two expressions, as an unsure model reads it for a minute."""
    smoother = ExpressionSmoother()
    random = np.random.default_rng(seed)
    raw, held = [], []
    for step in range(60 * 15):
        probabilities = random.dirichlet((4, 4, 1)).tolist()
        smoother.update(probabilities, step / 15, TIME_CONSTANT_SECONDS)
        raw.append(int(np.argmax(probabilities)))
        held.append(smoother.held)
    raw_changes, held_changes = (sum(a != b for a, b in pairwise(labels)) for labels in (raw, held))
    assert raw_changes > 300
    assert held_changes <= raw_changes / 5


def test_a_plain_change_is_shown_long_before_the_time_constant() -> None:
    smoother = ExpressionSmoother()
    for step in range(30):
        smoother.update((0.95, 0.05), step / 15, 2.0)
    smoother.update((0.02, 0.98), 2.0, 2.0)
    assert smoother.held == 1
    assert smoother.probabilities == (0.02, 0.98)
