"""Spans, transitions and key moments derived from the rows of a video."""

from dataclasses import replace

import numpy as np
import pytest

from fer.video.timeline import Transition
from tests.video.results import timeline_of

TWO = timeline_of(
    {
        1: ["neutral"] * 10 + ["happiness"] * 5 + ["anger"] * 15,
        2: [None] * 5 + ["surprise"] * 10 + [None] * 10 + ["surprise"] * 3 + ["sadness"] * 2,
    }
)


def test_spans_say_who_showed_what_from_when_to_when() -> None:
    spans = [(one.person, one.label, round(one.start, 6), round(one.end, 6)) for one in TWO.spans]
    assert spans == [
        (1, "neutral", 0.0, 1.0),
        (1, "happiness", 1.0, 1.5),
        (1, "anger", 1.5, 3.0),
        (2, "surprise", 0.5, 1.5),
        (2, "surprise", 2.5, 2.8),
        (2, "sadness", 2.8, 3.0),
    ]


def test_a_briefly_missed_face_does_not_end_a_span() -> None:
    result = timeline_of({1: ["neutral"] * 5 + [None] * 3 + ["neutral"] * 5})
    (span,) = result.spans
    assert span.seconds == pytest.approx(1.3)


def test_times_add_up() -> None:
    assert TWO.summary() == {
        1: pytest.approx({"anger": 1.5, "neutral": 1.0, "happiness": 0.5}),
        2: pytest.approx({"surprise": 1.3, "sadness": 0.2}),
    }
    assert list(TWO.summary()[1]) == ["anger", "neutral", "happiness"]


def test_transitions_are_in_the_order_of_time_and_not_over_an_absence() -> None:
    assert [(one.person, round(one.seconds, 6), one.before, one.after) for one in TWO.transitions()] == [
        (1, 1.0, "neutral", "happiness"),
        (1, 1.5, "happiness", "anger"),
        (2, 2.8, "surprise", "sadness"),
    ]
    away = timeline_of({1: ["neutral"] * 5 + [None] * 10 + ["anger"] * 5})
    assert away.transitions() == []
    assert isinstance(TWO.transitions()[0], Transition)


def test_key_moments_need_a_minimum_duration() -> None:
    moments = [(one.person, one.label, one.seconds) for one in TWO.key_moments()]
    assert (2, "sadness", pytest.approx(2.8)) not in moments
    assert [label for _, label, _ in moments] == ["neutral", "surprise", "happiness", "anger"]


def test_a_second_box_on_a_face_has_no_key_moments() -> None:
    seen = timeline_of({1: ["neutral"] * 40, 2: [None] * 5 + ["surprise"] * 20, 3: ["anger"] * 40})
    assert not seen.ghosts
    inside = seen.rows["person"] == 2
    seen.rows["box"][inside] = [65, 30, 120, 75]  # most of it lies in the first one's
    doubled = replace(seen)
    assert doubled.ghosts == [2] and {moment.person for moment in doubled.key_moments()} == {1, 3}
    assert not replace(seen, names={2: "Bob"}).ghosts
    seen.rows["box"][np.flatnonzero(inside)[:11]] = [300, 30, 350, 75]
    assert not replace(seen).ghosts


def test_a_person_seen_briefly_has_no_key_moments() -> None:
    seen = timeline_of({1: ["neutral"] * 200, 2: ["surprise"] * 9, 3: ["anger"] * 11})
    assert seen.ghosts == [2] and {moment.person for moment in seen.key_moments()} == {1, 3}
    short = timeline_of({1: ["neutral"] * 20, 2: ["surprise"] * 9})
    assert not short.ghosts and len(short.key_moments()) == 2


def test_a_pause_of_the_recording_counts_for_nobody() -> None:
    result = timeline_of({1: ["neutral"] * 5}, times=[0.0, 0.1, 0.2, 10.0, 10.1], ends=10.2)
    assert sum(result.summary()[1].values()) == pytest.approx(0.2 + 0.5 + 0.2)
    assert len(result.spans) == 2


def test_valence_is_happiness_minus_the_strongest_of_four() -> None:
    result = timeline_of({1: ["happiness"] * 10, 2: ["anger"] * 10, 3: ["contempt"] * 10}, confidence=1.0)
    assert [result.valence_of(person) for person in result.people] == [pytest.approx(v) for v in (1.0, -1.0, 0.0)]
    mixed = timeline_of({1: ["happiness"]})
    mixed.rows["probabilities"] = [0.1, 0.4, 0.05, 0.2, 0.05, 0.05, 0.05, 0.1]
    assert mixed.valence == pytest.approx([0.4 - 0.2])
    unknown = timeline_of({1: ["a"] * 3}, labels=tuple("abcdefgh"))
    assert unknown.valence is None and unknown.valence_of(1) is None


def test_faces_of_a_moment() -> None:
    assert [face.track_id for face in TWO.faces_at(1.04)] == [1, 2]
    assert [face.track_id for face in TWO.faces_at(2.0)] == [1]
    assert [face.track_id for face in TWO.faces_at(99)] == [1, 2]
    assert timeline_of({}).faces_at(1) == []


def test_a_slide_show_has_no_pauses() -> None:
    result = timeline_of({1: ["neutral"] * 4}, times=[0.0, 5.0, 10.0, 15.0], ends=20.0)
    assert sum(result.summary()[1].values()) == pytest.approx(20)
    assert len(result.spans) == 1


def test_an_empty_timeline_is_no_error() -> None:
    result = timeline_of({1: [None] * 3})
    assert result.people == result.spans == result.transitions() == result.key_moments() == []
    assert result.summary() == {} and result.seconds == pytest.approx(0.3)
