"""An endless video: seconds that must add up, and memory that must not grow."""

from threading import Thread

import numpy as np
import pytest

from fer.faces import Box
from fer.video.live import MOST_ROWS, SAMPLE_SECONDS
from fer.video.recorder import RECENT_SECONDS, Recorder
from fer.video.timeline import LONGEST_GAP_SECONDS
from fer.video.tracking import TrackedFace
from tests.video.scene import ANGRY, CALM, HAPPY, LABELS

FRAME_SECONDS = 1 / 30


def shows(person: int, probabilities: tuple[float, ...] = CALM) -> TrackedFace:
    held = int(np.argmax(probabilities))
    return TrackedFace(Box(0, 0, 9, 9), (), 1.0, labels=LABELS, probabilities=probabilities, track_id=person, held=held)


def live(most_rows: int = MOST_ROWS) -> Recorder:
    return Recorder(LABELS, SAMPLE_SECONDS, most_rows)


def watched(recorder: Recorder, frames: int, person: int = 1, begin: float = 0.0) -> None:
    for step in range(frames):
        recorder.add(step, begin + step * FRAME_SECONDS, [shows(person)])


def seconds_of(recorder: Recorder, person: int) -> float:
    return sum(recorder.timeline().summary()[person].values())


def test_at_first_there_is_nothing() -> None:
    timeline = live().timeline()
    assert (len(timeline.rows), timeline.summary(), timeline.seconds, timeline.frames) == (0, {}, 0.0, 0)
    assert not len(live().recent().rows)


def test_a_video_without_faces_has_a_length_and_no_rows() -> None:
    recorder = live()
    for step in range(31):
        recorder.add(step, step / 10, [])
    assert recorder.timeline().seconds == recorder.seconds == pytest.approx(3)
    assert not len(recorder.timeline().rows)


def test_a_steady_face_has_about_five_rows_a_second() -> None:
    recorder = live()
    watched(recorder, 601)
    (row, *others) = recorder.timeline().rows
    assert (row["person"], row["held"], row["seconds"]) == (1, 0, 0.0)
    assert row["probabilities"].tolist() == pytest.approx(CALM)
    assert 4 <= len(others) / 20 <= 1 / SAMPLE_SECONDS + 1
    assert seconds_of(recorder, 1) == pytest.approx(20)


@pytest.mark.parametrize("most_rows", [2000, MOST_ROWS])
def test_the_seconds_of_everybody_add_up_to_the_time_they_were_watched(most_rows: int) -> None:
    """Four minutes; one person changes often, one seldom, one comes for the second minute and leaves 30 s later."""
    recorder = live(most_rows)
    frames = dict.fromkeys((1, 2, 3), 0)
    for step in range(7201):
        seconds = step * FRAME_SECONDS
        faces = [
            shows(1, (CALM, HAPPY, ANGRY)[int(seconds / 0.37) % 3]),
            shows(2, (CALM, HAPPY)[int(seconds / 11) % 2]),
        ]
        if 60 <= seconds < 90:
            faces.append(shows(3))
        recorder.add(step, seconds, faces)
        for face in faces:
            frames[face.track_id or 0] += step < 7200
    timeline = recorder.timeline()
    assert len(timeline.rows) <= most_rows
    totals = {person: sum(labels.values()) for person, labels in timeline.summary().items()}
    assert totals == pytest.approx({person: count * FRAME_SECONDS for person, count in frames.items()})
    assert timeline.summary()[2] == pytest.approx({"neutral": 11 * 11.0, "happiness": 240 - 11 * 11.0}, abs=0.1)
    assert all(0.3 < seconds / 240 < 0.36 for seconds in timeline.summary()[1].values())


def test_joined_rows_keep_the_weighted_means() -> None:
    means = []
    for most_rows in (500, MOST_ROWS):
        recorder, random = live(most_rows), np.random.default_rng(0)
        for step in range(6000):
            smile = float(random.uniform(0.6, 1))
            recorder.add(step, step * FRAME_SECONDS, [shows(1, (1 - smile, smile, 0.0))])
        rows = recorder.timeline().rows
        assert len(rows) <= most_rows
        means.append((rows["lasted"][:, None] * rows["probabilities"]).sum(axis=0) / 200)
        assert rows["probabilities"].sum(axis=1) == pytest.approx(1)
    assert means[0] == pytest.approx(means[1], abs=1e-3)


def test_a_pause_counts_no_longer_than_a_frame_may_stand() -> None:
    recorder = live()
    for begin in (0, 60):
        watched(recorder, 61, begin=begin)
    assert recorder.timeline().seconds == pytest.approx(62)
    assert seconds_of(recorder, 1) == pytest.approx(4 + LONGEST_GAP_SECONDS)
    assert len(recorder.timeline().spans) == 2


def test_a_slow_video_is_no_pause() -> None:
    recorder = live()
    slow = 0.9 * LONGEST_GAP_SECONDS
    for step in range(11):
        recorder.add(step, step * slow, [shows(1)])
    assert seconds_of(recorder, 1) == pytest.approx(10 * slow)


def test_the_time_that_somebody_was_away_is_not_counted() -> None:
    recorder = live()
    for step in range(301):
        recorder.add(step, step * FRAME_SECONDS, [shows(1)] if not 100 <= step < 200 else [])
    assert seconds_of(recorder, 1) == pytest.approx(200 * FRAME_SECONDS)


def test_memory_is_bounded_however_many_people_pass() -> None:
    recorder = live(500)
    for step in range(1500):
        recorder.add(step, step / 10, [shows(10 * (step // 3) + index) for index in range(10)])
        assert len(recorder.timeline().rows) <= 500
    assert max(recorder.timeline().people) == 10 * 499 + 9, "the newest are kept"


def test_the_last_minute_is_kept_at_the_full_rate_and_counted_back_from_now() -> None:
    recorder = live(500)
    watched(recorder, 300 * 30)
    recent = recorder.recent()
    assert (recent.starts, recent.ends) == (-RECENT_SECONDS, 0.0)
    assert recent.rows["seconds"].min() == pytest.approx(-RECENT_SECONDS, abs=0.3)
    assert 4 * RECENT_SECONDS <= len(recent.rows) <= (1 / SAMPLE_SECONDS + 1) * RECENT_SECONDS
    assert len(recorder.timeline().rows) <= 500


def test_what_was_read_stays_as_it_was() -> None:
    recorder = live()
    recorder.add(0, 0.0, [shows(1)])
    before = recorder.timeline()
    recorder.add(1, 0.1, [shows(1)])
    assert before.rows["lasted"].tolist() == [0.0] and recorder.timeline().rows["lasted"].tolist() == [0.1]


@pytest.mark.slow
def test_a_reader_in_another_thread_always_sees_a_sound_timeline() -> None:
    recorder, wrong, reading = live(1000), list[str](), [True]

    def read() -> None:
        last = 0.0
        try:
            while reading[0]:
                total = sum(sum(labels.values()) for labels in recorder.timeline().summary().values())
                recorder.recent()
                if total < last - 1e-6:
                    wrong.append(f"{total} after {last}")
                last = total
        except Exception as error:
            wrong.append(repr(error))

    reader = Thread(target=read)
    reader.start()
    for step in range(9000):
        faces = [shows(person, (CALM, HAPPY)[step // 20 % 2]) for person in (1, 2)]
        recorder.add(step, step * FRAME_SECONDS, faces)
    reading[0] = False
    reader.join(10)
    assert not wrong
    assert seconds_of(recorder, 1) == pytest.approx(8999 * FRAME_SECONDS)
