"""Who is where and when the model runs, frame by frame, with a model that answers at once."""

from typing import Any

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
