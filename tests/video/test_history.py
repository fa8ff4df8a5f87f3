"""Seconds that must add up, and memory that must not grow."""

from threading import Thread

import numpy as np
import pytest

from fer.faces import Box
from fer.video.history import LONGEST_GAP_SECONDS, RECENT_SECONDS, SAMPLES_PER_SECOND, History
from fer.video.tracking import TrackedFace
from tests.video.scene import ANGRY, CALM, HAPPY, LABELS

START = 5000.0
FRAME_SECONDS = 1 / 30


def shows(person: int, probabilities: tuple[float, ...] = CALM) -> TrackedFace:
    held = int(np.argmax(probabilities))
    return TrackedFace(Box(0, 0, 9, 9), (), 1.0, labels=LABELS, probabilities=probabilities, track_id=person, held=held)


def seconds_of(history: History, person: int) -> float:
    return sum(history.summary()[person].values())


def test_at_first_there_is_nothing() -> None:
    history = History()
    assert (history.samples(), history.recent(), history.summary(), history.seconds) == ([], [], {}, 0.0)


def test_a_video_without_faces_has_a_length_and_no_samples() -> None:
    history = History()
    for step in range(31):
        history.add([], START + step / 10)
    assert history.seconds == pytest.approx(3)
    assert history.samples() == []


def test_times_begin_with_the_video() -> None:
    history = History()
    history.add([], START)
    history.add([shows(1)], START + 10)
    (sample,) = history.samples()
    assert sample.seconds == pytest.approx(10)
    assert (sample.person, sample.label, sample.confidence, sample.probabilities) == (1, "neutral", 0.8, CALM)
    assert history.labels == LABELS


def test_a_steady_face_has_about_five_samples_a_second() -> None:
    history = History()
    for step in range(601):
        history.add([shows(1)], START + step * FRAME_SECONDS)
    assert 4 <= len(history.samples()) / 20 <= SAMPLES_PER_SECOND + 1
    assert seconds_of(history, 1) == pytest.approx(20)


@pytest.mark.parametrize("max_samples", [40, 40_000])
def test_the_seconds_of_everybody_add_up_to_the_time_they_were_watched(max_samples: int) -> None:
    """Two minutes; one person changes often, one seldom, one comes for the second minute and leaves 30 s later."""
    history = History(max_samples)
    watched = {1: 0.0, 2: 0.0, 3: 0.0}
    for step in range(3601):
        seconds = step * FRAME_SECONDS
        faces = [
            shows(1, (CALM, HAPPY, ANGRY)[int(seconds / 0.37) % 3]),
            shows(2, (CALM, HAPPY)[int(seconds / 11) % 2]),
        ]
        if 60 <= seconds < 90:
            faces.append(shows(3))
        history.add(faces, START + seconds)
        for face in faces:
            watched[face.track_id or 0] += FRAME_SECONDS if step else 0.0
    summary = history.summary()
    assert {person: sum(labels.values()) for person, labels in summary.items()} == pytest.approx(watched)
    assert summary[2]["neutral"] == pytest.approx(65, abs=0.1)
    assert summary[2]["happiness"] == pytest.approx(55, abs=0.1)
    assert all(0.3 < seconds / 120 < 0.36 for seconds in summary[1].values())


def test_a_summary_has_the_longest_first_and_the_persons_in_order() -> None:
    history = History()
    for step in range(40):
        history.add([shows(2, HAPPY if step < 10 else ANGRY), shows(1)], START + step / 10)
    summary = history.summary()
    assert list(summary) == [1, 2]
    assert list(summary[2]) == ["anger", "happiness"]


def test_joined_samples_keep_the_weighted_means() -> None:
    means = []
    for max_samples in (30, 40_000):
        history, random = History(max_samples), np.random.default_rng(0)
        for step in range(3000):
            smile = float(random.uniform(0.6, 1))
            history.add([shows(1, (1 - smile, smile, 0.0))], START + step * FRAME_SECONDS)
        samples = history.samples()
        assert len(samples) <= max_samples + 1
        means.append(sum(s.lasted * np.array([s.confidence, *s.probabilities]) for s in samples) / 100)
        assert all(sum(sample.probabilities) == pytest.approx(1) for sample in samples)
    assert means[0] == pytest.approx(means[1])


def test_a_pause_counts_for_nobody() -> None:
    history = History()
    for begin in (0, 60):
        for step in range(61):
            history.add([shows(1)], START + begin + step * FRAME_SECONDS)
    assert history.seconds == pytest.approx(62)
    assert seconds_of(history, 1) == pytest.approx(4)


def test_a_slow_video_is_no_pause() -> None:
    history = History()
    slow = 0.9 * LONGEST_GAP_SECONDS
    for step in range(11):
        history.add([shows(1)], START + step * slow)
    assert seconds_of(history, 1) == pytest.approx(10 * slow)


def test_the_time_that_somebody_was_away_is_not_counted() -> None:
    history = History()
    for step in range(301):
        history.add([shows(1)] if not 100 <= step < 200 else [], START + step * FRAME_SECONDS)
    assert seconds_of(history, 1) == pytest.approx(200 * FRAME_SECONDS)


def test_memory_is_bounded_however_many_people_pass() -> None:
    history = History(500)
    for step in range(1500):
        history.add([shows(10 * (step // 3) + index) for index in range(10)], START + step / 10)
        assert len(history.samples()) <= 500 + 10
    assert len(history.recent()) <= 4000
    assert max(sample.person for sample in history.samples()) == 10 * 499 + 9, "the newest are kept"


def test_the_last_minute_is_kept_at_the_full_rate() -> None:
    history = History(20)
    for step in range(150 * 30):
        history.add([shows(1)], START + step * FRAME_SECONDS)
    recent = history.recent()
    assert min(sample.seconds for sample in recent) == pytest.approx(150 - RECENT_SECONDS, abs=0.3)
    assert 4 * RECENT_SECONDS <= len(recent) <= (SAMPLES_PER_SECOND + 1) * RECENT_SECONDS
    assert len(history.samples()) <= 21


def test_what_is_read_may_be_changed_by_the_reader() -> None:
    history = History()
    history.add([shows(1)], START)
    history.samples().clear()
    history.recent().clear()
    history.summary().clear()
    assert len(history.samples()) == len(history.recent()) == len(history.summary()) == 1


def test_a_reader_in_another_thread_always_sees_a_sound_history() -> None:
    history, wrong, reading = History(200), list[str](), [True]

    def read() -> None:
        last = 0.0
        try:
            while reading[0]:
                total = sum(sum(labels.values()) for labels in history.summary().values())
                history.recent()
                if total < last - 1e-6:
                    wrong.append(f"{total} after {last}")
                last = total
        except Exception as error:
            wrong.append(repr(error))

    reader = Thread(target=read)
    reader.start()
    for step in range(3000):
        faces = [shows(person, (CALM, HAPPY)[step // 20 % 2]) for person in (1, 2)]
        history.add(faces, START + step * FRAME_SECONDS)
    reading[0] = False
    reader.join(10)
    assert not wrong
    assert seconds_of(history, 1) == pytest.approx(2999 * FRAME_SECONDS)
