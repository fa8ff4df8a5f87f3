"""Averages that know the future: no lag, no flicker."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from fer.faces import Box
from fer.video.hindsight import Hindsight
from fer.video.tracking import TrackedFace
from tests.video.scene import CALM, HAPPY, LABELS, Patch

FRAME = 1 / 30
DOUBTFUL = (0.3, 0.6, 0.1)


def face(probabilities: tuple[float, ...], person: int = 1) -> TrackedFace:
    place = Patch(0, 100, 100).detection
    return TrackedFace(
        place.box, place.landmarks, 0.9, labels=LABELS, probabilities=probabilities, track_id=person, held=0
    )


def shown(rows: dict[float, tuple[float, ...]]) -> dict[float, TrackedFace]:
    """Return what is shown at each moment, once everything was seen."""
    hindsight = Hindsight()
    for seconds, row in rows.items():
        hindsight.see([face(row)], seconds)
    return {seconds: hindsight.shown([face(row)], seconds)[0] for seconds, row in rows.items()}


def change(rows: dict[float, tuple[float, ...]]) -> list[float]:
    labels = [(seconds, one.label) for seconds, one in shown(rows).items()]
    return [b for (_, one), (b, other) in pairwise(labels) if one != other]


def moments(count: int, row_at: "dict[int, tuple[float, ...]]") -> dict[float, tuple[float, ...]]:
    rows, current = {}, CALM
    for number in range(count):
        current = row_at.get(number, current)
        rows[number * FRAME] = current
    return rows


@pytest.mark.parametrize("after", [HAPPY, DOUBTFUL])
def test_a_subtle_change_is_shown_when_it_happens(after: tuple[float, ...]) -> None:
    (seconds,) = change(moments(90, {45: after}))
    assert seconds == pytest.approx(1.5, abs=0.2)


def test_a_single_wrong_reading_is_hidden_but_half_a_second_is_shown() -> None:
    assert change(moments(90, {45: HAPPY, 47: CALM})) == []
    assert change(moments(90, {45: HAPPY, 60: CALM})) == pytest.approx([1.5, 2.0], abs=0.15)


def test_both_heads_are_averaged_like_the_probabilities() -> None:
    hindsight = Hindsight()
    said = [(CALM, HAPPY)] * 15 + [(HAPPY, CALM)] * 15
    for number, opinions in enumerate(said):
        hindsight.see([replace(face(opinions[1]), opinions=opinions)], number * FRAME)
    (one,) = hindsight.shown([replace(face(HAPPY), opinions=(CALM, HAPPY))], 0.0)
    assert (
        one.opinions
        and one.opinions[1] == pytest.approx(one.probabilities)
        and one.differing == ("neutral", "happiness")
    )
    assert shown({0.0: CALM})[0.0].opinions is None


def test_averaging_restarts_after_an_absence() -> None:
    rows = moments(30, {}) | {3 + number * FRAME: DOUBTFUL for number in range(10)}
    assert shown(rows)[3.0].label == "happiness"
    assert shown(rows)[3.0].probabilities == pytest.approx(DOUBTFUL)


def test_constant_readings_are_unchanged() -> None:
    for one in shown(moments(60, {})).values():
        assert one.probabilities == pytest.approx(CALM) and one.label == "neutral"
        assert isinstance(one.box, Box) and np.isclose(sum(one.probabilities), 1)
