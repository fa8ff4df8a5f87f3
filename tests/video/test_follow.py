"""Who is where and when the model runs, frame by frame, with a model that answers at once."""

from typing import Any, cast

import pytest

from fer.video.follow import Follower, Snapshot, observe
from fer.video.settings import VideoSettings
from tests.video.scene import HAPPY, FakeRecognizer, Patch, draw_scene

FRAME_SECONDS = 1 / 30


def test_boxes_follow_a_walker_between_the_searches() -> None:
    follower, recognizer, settings = Follower(), FakeRecognizer(), VideoSettings(detections_per_second=0.5)
    shared: Any = recognizer
    for step in range(50):
        patch = Patch(0, 60 + 3 * step, 120)
        (face,) = follower.see(shared, draw_scene([patch]), step * FRAME_SECONDS, settings)
        assert face.box.center == pytest.approx((patch.x, patch.y), abs=3)
        assert face.track_id == 1
    assert recognizer.searches == 1
    assert recognizer.classified == pytest.approx(15 * 50 / 30, abs=2)


def test_it_returns_due_work_and_marks_it_as_started() -> None:
    follower, settings = Follower(), VideoSettings(detections_per_second=2, updates_per_second=10)
    shared: Any = FakeRecognizer()
    image = draw_scene([Patch(0, 160, 120)])
    snapshot = follower.move(image, 0.0)
    assert follower.due(0.0, settings) == "search"
    assert follower.due(0.0, settings) is None
    follower.take_in(observe(shared, snapshot, "search", 0.1), 0.0, 0.5)
    follower.move(image, 0.11)
    assert follower.due(0.11, settings) == "update"
    assert follower.due(0.5, settings, shortest_pause_seconds=1.0) == "update", "the machine is too slow to search"
    assert follower.due(1.0, settings, shortest_pause_seconds=1.0) == "search"


def test_without_people_there_is_nothing_to_update() -> None:
    follower, settings = Follower(), VideoSettings(detections_per_second=1)
    follower.move(draw_scene([]), 0.0)
    assert follower.due(0.0, settings) == "search"
    assert follower.due(0.9, settings) is None


def test_an_update_reaches_people_still_in_view() -> None:
    follower, recognizer = Follower(), FakeRecognizer()
    shared: Any = recognizer
    snapshot = follower.move(draw_scene([Patch(0, 160, 120)]), 0.0)
    follower.take_in(observe(shared, snapshot, "search", 0.1), 0.0, 0.0)
    recognizer.shown[0] = HAPPY
    known = follower.snapshot
    assert isinstance(known, Snapshot) and list(known.places) == [1]
    follower.take_in(observe(shared, known, "update", 0.1), 0.1, 0.0)
    assert [face.label for face in follower.faces()] == ["happiness"]


def test_the_detector_looks_again_at_who_is_new_and_at_nobody_else() -> None:
    follower, recognizer = Follower(), FakeRecognizer()
    settings = VideoSettings(detections_per_second=10)
    people = [Patch(0, 80, 120), Patch(1, 230, 120)]
    looks = []
    for step in range(12):
        follower.see(cast(Any, recognizer), draw_scene(people[: 1 + (step >= 6)]), step / 4, settings)
        looks.append(recognizer.looks_again)
    assert recognizer.searches == 12 and looks == [1] * 6 + [2] * 6


@pytest.mark.parametrize(
    ("scores", "shown"),
    [
        ([0.1, 0.2, 0.3], [0.1, 0.2, 0.3, 0.3, 0.3]),
        ([0.9, 0.2, 0.1], [0.9, 0.9, 0.9, 0.9, 0.9]),
        ([0.1, 0.999], [0.1, 0.999, 0.999, 0.999, 0.999]),
    ],
)
def test_who_does_not_look_human_gets_more_looks_and_the_best_counts(scores: list[float], shown: list[float]) -> None:
    follower, recognizer = Follower(), FakeRecognizer()
    recognizer.scores_again = [*scores]
    settings = VideoSettings(detections_per_second=10)
    found = []
    for step in range(len(shown)):
        (face,) = follower.see(cast(Any, recognizer), draw_scene([Patch(0, 160, 120)]), step / 4, settings)
        found.append(face.score_again)
    assert found == shown and recognizer.looks_again == len(scores)


def test_readings_between_the_searches_are_no_looks() -> None:
    follower, recognizer = Follower(), FakeRecognizer()
    recognizer.scores_again = [0.5]
    for step in range(20):
        image, settings = draw_scene([Patch(0, 160, 120)]), VideoSettings(detections_per_second=0.1)
        (face,) = follower.see(cast(Any, recognizer), image, step / 20, settings)
    assert (recognizer.looks_again, face.score_again) == (1, 0.5) and recognizer.classified > 5
