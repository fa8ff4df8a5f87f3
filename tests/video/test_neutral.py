"""A person's own neutral: found in what was read, taken off what is shown, never off what is recorded."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from fer.errors import VideoError
from fer.faces import Box
from fer.recognition.baseline import STRENGTH, without_shift
from fer.video.hindsight import held_label
from fer.video.neutral import (
    LEAST_SECONDS,
    MEDIAN,
    NEUTRAL_SECONDS,
    SECONDS,
    Baseline,
    median_baselines,
    neutral_moment,
)
from fer.video.recorder import Recorder
from fer.video.timeline import Moment, Timeline
from tests.video.results import STEP
from tests.video.scene import ANGRY, CALM, HAPPY, LABELS, USUAL
from tests.video.test_recorder import shows

AT_REST = (0.3, 0.1, 0.6)
"""Looks angry when neutral."""


def seen(shown: dict[int, list[tuple[float, ...] | None]], **about: object) -> Timeline:
    """Return what each person showed in each frame of a file, ten frames a second."""
    recorder = Recorder(LABELS, neutral=USUAL)
    for number in range(max(map(len, shown.values()))):
        there = {person: own[number] for person, own in shown.items() if number < len(own)}
        beside = [
            replace(shows(person, row), box=Box(9 * person, 0, 9 * person + 9, 9))
            for person, row in there.items()
            if row
        ]
        recorder.add(number, number * STEP, beside)
    return recorder.timeline(max(map(len, shown.values())) * STEP, name="clip.mp4", **about)


def with_baseline(timeline: Timeline, person: int = 1, starts: float = 0.0) -> Timeline:
    own = neutral_moment(timeline.rows, person, timeline.neutral, starts)
    return replace(timeline, baselines={**timeline.baselines, person: own})


RESTING = seen({1: [AT_REST] * 40 + [HAPPY] * 20 + [AT_REST] * 20, 2: [ANGRY] * 80})


def test_whoever_looks_angry_at_rest_is_neutral_and_smiles_all_the_same() -> None:
    off = with_baseline(RESTING)
    assert RESTING.summary()[1] == pytest.approx({"anger": 6.0, "happiness": 2.0})
    assert off.summary()[1] == pytest.approx({"neutral": 6.0, "happiness": 2.0})
    assert [(one.before, one.after) for one in off.transitions()] == [
        ("neutral", "happiness"),
        ("happiness", "neutral"),
    ]
    assert [span.label for span in off.spans if span.person == 1] == ["neutral", "happiness", "neutral"]
    assert off.valence is not None and RESTING.valence is not None
    assert off.valence[off.of(1)].mean() > RESTING.valence[off.of(1)].mean()


def test_others_and_what_is_recorded_stay_as_they_were() -> None:
    off = with_baseline(RESTING)
    assert off.rows is RESTING.rows and RESTING.shown is RESTING.rows
    assert off.shown[off.of(2)].tobytes() == RESTING.rows[off.of(2)].tobytes()
    assert off.raw.summary() == RESTING.summary() and RESTING.raw is RESTING


def test_it_is_taken_off_once() -> None:
    off = with_baseline(RESTING)
    own = off.baselines[1]
    for place in off.of(1)[[0, 45]]:
        once = without_shift(RESTING.rows["probabilities"][place], own.shift)
        assert off.shown["probabilities"][place] == pytest.approx(once, abs=1e-6)
    assert with_baseline(off).shown["probabilities"] == pytest.approx(off.shown["probabilities"])


def test_a_baseline_says_how_it_was_found() -> None:
    own = neutral_moment(RESTING.rows, 1, USUAL, 0.5)
    assert (own.how, own.starts, own.ends, own.readings) == (SECONDS, 0.5, 0.5 + NEUTRAL_SECONDS, 30)
    assert own.strength == STRENGTH
    assert own.shift == pytest.approx([math.log(a / b) for a, b in zip(AT_REST, CALM, strict=True)], abs=1e-6)


@pytest.mark.parametrize("frames", [0, 19])
def test_who_leaves_within_the_three_seconds_gets_none(frames: int) -> None:
    left = seen({1: [AT_REST] * (10 + frames), 2: [CALM] * 60})
    with pytest.raises(VideoError, match=r"person 1 .* 1\.9|person 1 .* 0\.0"):
        neutral_moment(left.rows, 1, USUAL, 1.0)
    assert neutral_moment(seen({1: [AT_REST] * 31}).rows, 1, USUAL, 1.0).readings == 10 * LEAST_SECONDS + 1
    with pytest.raises(VideoError):
        neutral_moment(left.rows, 7, USUAL, 0.0)


def test_the_median_face_of_each_who_was_there_for_long_enough() -> None:
    crowd = seen({1: [AT_REST] * 40 + [HAPPY] * 20, 2: [ANGRY] * 15, 3: [CALM] * 30})
    found = median_baselines(crowd.rows, USUAL)
    assert set(found) == {1, 3} and {own.how for own in found.values()} == {MEDIAN}
    assert (found[1].starts, found[1].ends, found[1].readings) == pytest.approx((0.0, 6.0, 60))
    off = replace(crowd, baselines=found)
    assert off.summary()[1] == pytest.approx({"neutral": 4.0, "happiness": 2.0})
    assert off.shown["probabilities"][off.of(3)] == pytest.approx(crowd.rows["probabilities"][off.of(3)], abs=1e-6)


def test_nothing_to_take_off_changes_nothing() -> None:
    rows = np.random.default_rng(0).dirichlet((2, 2, 2), 200)
    held = [held_label(rows[0], None)]
    for row in rows[1:]:
        held.append(held_label(row, held[-1]))
    recorder = Recorder(LABELS, neutral=USUAL)
    for number, (row, label) in enumerate(zip(rows, held, strict=True)):
        recorder.add(number, number * STEP, [replace(shows(1), probabilities=tuple(row.tolist()), held=label)])
    nothing = Baseline((0.0, 0.0, 0.0), SECONDS, 0.0, 3.0, 30)
    timeline = replace(recorder.timeline(20.0), baselines={1: nothing})
    assert timeline.shown["held"].tolist() == held
    assert timeline.shown["probabilities"] == pytest.approx(timeline.rows["probabilities"], abs=1e-6)


def test_a_label_stays_until_another_one_is_clearly_ahead() -> None:
    assert held_label(np.array([0.46, 0.54, 0.0]), 0) == 0
    assert held_label(np.array([0.44, 0.56, 0.0]), 0) == 1
    assert held_label(np.array([0.46, 0.54, 0.0]), None) == 1


def test_who_was_away_begins_anew_without_the_own_neutral_too() -> None:
    close = (0.46, 0.52, 0.02)
    off = with_baseline(seen({1: [CALM] * 30 + [None] * 10 + [close] * 10}))
    assert off.summary()[1] == pytest.approx({"neutral": 3.0, "happiness": 1.0})
    assert {label for label in with_baseline(seen({1: [CALM] * 30 + [close] * 10})).summary()[1]} == {"neutral"}


def test_pictures_of_key_moments_go_by_what_is_shown() -> None:
    peaks = (Moment(1, "anger", 0.5, 0.6, b"rest"), Moment(1, "happiness", 4.5, 0.8, b"smile"))
    rest, _, smile = with_baseline(replace(RESTING, peaks=(*peaks, Moment(2, "anger", 1.0, 0.8, b"two")))).key_moments()
    assert (rest.label, rest.thumbnail, smile.label) == ("neutral", b"rest", "happiness")
    assert rest.confidence == pytest.approx(with_baseline(RESTING).confidences[10], abs=1e-6)


def test_faces_say_what_was_read_where_that_differs() -> None:
    off = with_baseline(RESTING)
    one, two = off.faces_at(1.0)
    assert (one.label, one.raw and one.raw.label, two.label, two.raw) == ("neutral", "anger", "anger", None)
    record = one.to_dict()
    assert record["label"] == "neutral" and record["raw"]["label"] == "anger"
    assert record["raw"]["probabilities"]["anger"] == pytest.approx(0.6) and "raw" not in two.to_dict()


def test_a_video_that_is_thinned_keeps_the_sums() -> None:
    recorder = Recorder(LABELS, 0.2, 600, USUAL)
    for number in range(6000):
        recorder.add(number, number / 30, [shows(1, AT_REST if number // 450 % 2 == 0 else HAPPY)])
    timeline = with_baseline(recorder.timeline(200.0), starts=181.0)
    assert len(timeline.rows) <= 600
    assert sum(timeline.summary()[1].values()) == pytest.approx(200, abs=0.1)
    assert set(timeline.summary()[1]) == {"neutral", "happiness"}
    assert all(a <= b for a, b in pairwise(timeline.rows["seconds"]))
