"""Frames in, faces out, on simulated time; the model is a fake that is quick, slow or broken as a test wants it."""

import gc
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from fer.errors import ImageError
from fer.faces import Detection
from fer.recognition.baseline import without_shift
from fer.video.live import MAX_FRAME_PAUSE, SAMPLE_SECONDS, LiveAnalyzer, LiveEngine
from fer.video.neutral import NEUTRAL_SECONDS
from fer.video.recorder import Recorder
from fer.video.settings import VideoSettings
from fer.video.tracking import TrackedFace
from tests.video.scene import ANGRY, CALM, HAPPY, LABELS, AtOnce, FakeRecognizer, Image, Manual, Patch, draw_scene

START = 1000.0
FRAME_SECONDS = 1 / 30


def engine_with(executor: AtOnce | Manual) -> tuple[LiveEngine, FakeRecognizer]:
    recognizer = FakeRecognizer()
    shared: Any = recognizer
    return LiveEngine(shared, executor), recognizer


def at_once(settings: VideoSettings | None = None) -> tuple[LiveAnalyzer, FakeRecognizer]:
    engine, recognizer = engine_with(AtOnce())
    return LiveAnalyzer(engine, settings), recognizer


def by_hand(settings: VideoSettings | None = None) -> tuple[LiveAnalyzer, FakeRecognizer, Manual]:
    executor = Manual()
    engine, recognizer = engine_with(executor)
    return LiveAnalyzer(engine, settings), recognizer, executor


def play(analyzer: LiveAnalyzer, image: Image, seconds: float, start: float = START) -> tuple[list[TrackedFace], float]:
    """Show one picture for a while at 30 frames a second; return the last faces and the time of the next frame."""
    faces: list[TrackedFace] = []
    frames = round(seconds * 30)
    for step in range(frames):
        faces = analyzer.process(image, start + step * FRAME_SECONDS)
    return faces, start + frames * FRAME_SECONDS


# What is seen


@pytest.mark.parametrize("value", [0, 255])
def test_in_an_empty_picture_there_is_nobody(value: int) -> None:
    analyzer, recognizer = at_once()
    faces, _ = play(analyzer, np.full((120, 160, 3), value, np.uint8), 1.0)
    assert faces == []
    assert analyzer.people == 0
    assert not len(analyzer.recorder.timeline().rows)
    assert recognizer.searches >= 2


@pytest.mark.parametrize("size_wh", [(1, 1), (5, 3), (700, 1)])
def test_odd_sizes_are_no_error(size_wh: tuple[int, int]) -> None:
    analyzer, _ = at_once()
    assert play(analyzer, np.zeros((size_wh[1], size_wh[0], 3), np.uint8), 0.5)[0] == []


def test_what_is_no_picture_is_refused_and_the_next_frame_goes_on() -> None:
    analyzer, _ = at_once()
    with pytest.raises(ImageError, match="expected an RGB picture"):
        analyzer.process(np.zeros((120, 160), np.uint8), START)
    assert len(play(analyzer, draw_scene([Patch(0, 100, 100)]), 0.2)[0]) == 1


def test_faces_come_with_number_box_and_expression() -> None:
    analyzer, recognizer = at_once()
    recognizer.shown = {0: HAPPY, 1: ANGRY}
    faces, _ = play(analyzer, draw_scene([Patch(0, 80, 120), Patch(1, 240, 120)]), 1.0)
    assert [(face.track_id, face.label) for face in faces] == [(1, "happiness"), (2, "anger")]
    assert faces[0].box.xyxy == pytest.approx(Patch(0, 80, 120).box.xyxy, abs=1)
    assert analyzer.people == 2


def test_the_picture_is_not_changed() -> None:
    analyzer, _ = at_once()
    image = draw_scene([Patch(0, 160, 120)])
    image.flags.writeable = False
    assert len(play(analyzer, image, 0.5)[0]) == 1


def test_a_change_of_the_resolution_keeps_the_people() -> None:
    analyzer, _ = at_once()
    _, now = play(analyzer, draw_scene([Patch(0, 100, 120)]), 1.0)
    (face,) = analyzer.process(draw_scene([Patch(0, 200, 240, 120)], (640, 480)), now)
    assert face.box.center == pytest.approx((200, 240), abs=3)
    (face,), now = play(analyzer, draw_scene([Patch(0, 200, 240, 120)], (640, 480)), 1.0, now)
    assert face.track_id == 1
    (face,), _ = play(analyzer, draw_scene([Patch(0, 100, 90, 60)], (320, 180)), 1.0, now)
    assert face.box.center == pytest.approx((100, 90), abs=2)


def test_a_change_of_the_resolution_while_the_model_looks_is_no_error() -> None:
    analyzer, _, executor = by_hand()
    analyzer.process(draw_scene([Patch(0, 100, 120)]), START)
    executor.finish_next()
    upright = draw_scene([Patch(0, 100, 200)], (240, 320))
    assert analyzer.process(upright, START + 0.1) == []
    for step in range(40):
        if executor.waiting:
            executor.finish_next()
        faces = analyzer.process(upright, START + 0.2 + step * FRAME_SECONDS)
    assert faces[0].box.center == pytest.approx((100, 200), abs=2)


def test_an_answer_about_another_resolution_does_not_say_that_nobody_is_there() -> None:
    analyzer, recognizer, executor = by_hand(VideoSettings(detections_per_second=30))
    small = draw_scene([Patch(0, 100, 120)])
    large = draw_scene([Patch(0, 200, 240, 120)], (640, 480))
    analyzer.process(small, START)
    for step, picture in enumerate((small, large, small, large, small), start=1):
        executor.finish_next()  # a search of the picture before
        (face,) = analyzer.process(picture, START + step / 10)
        assert face.track_id == 1
    assert recognizer.searches == 5


def test_more_searches_asked_for_come_at_once() -> None:
    analyzer, recognizer = at_once(VideoSettings(detections_per_second=0.1))
    _, now = play(analyzer, draw_scene([Patch(0, 100, 120)]), 2.0)
    assert recognizer.searches == 1
    analyzer.settings = VideoSettings(detections_per_second=5)
    play(analyzer, draw_scene([Patch(0, 100, 120)]), 0.5, now)
    assert recognizer.searches >= 3


# A slow model


def test_a_model_that_never_answers_blocks_nobody() -> None:
    analyzer, recognizer, executor = by_hand()
    image = draw_scene([Patch(0, 160, 120)])
    faces, _ = play(analyzer, image, 3.0)  # comes back
    assert faces == []
    assert len(executor.waiting) == 1
    assert recognizer.searches == 0
    assert analyzer.frames.total == 90


def test_boxes_follow_while_the_model_is_busy() -> None:
    analyzer, _, executor = by_hand()
    analyzer.process(draw_scene([Patch(0, 60, 120)]), START)
    executor.finish_next()
    for step in range(1, 50):
        patch = Patch(0, 60 + 3 * step, 120)
        (face,) = analyzer.process(draw_scene([patch]), START + step * FRAME_SECONDS)
        assert face.box.center == pytest.approx((patch.x, patch.y), abs=3)
    assert len(executor.waiting) == 1


def test_the_model_looks_at_the_newest_frame_and_its_faces_are_brought_forward() -> None:
    """Asked at the first frame, it looks at the third and answers at the ninth: the face is where it is then."""
    analyzer, recognizer, executor = by_hand()
    for step in range(9):
        if step == 3:
            executor.finish_next()
            executor.waiting.clear()
        faces = analyzer.process(draw_scene([Patch(0, 60 + 3 * step, 120)]), START + step * FRAME_SECONDS)
        if step == 2:
            assert faces == []
    assert recognizer.searches == 1
    assert faces[0].box.center == pytest.approx((84, 120), abs=2)


def test_an_answer_about_an_old_frame_is_put_where_the_face_is_now() -> None:
    analyzer, _, executor = by_hand()
    analyzer.process(draw_scene([Patch(0, 60, 120)]), START)
    executor.finish_next()
    (face,) = analyzer.process(draw_scene([Patch(0, 68, 117)]), START + 0.15)
    assert face.box.center == pytest.approx((68, 117), abs=1)
    assert analyzer.delay_seconds == pytest.approx(0.15)


def test_faces_that_left_while_the_model_looked_do_not_get_the_probabilities_of_others() -> None:
    analyzer, recognizer, executor = by_hand(VideoSettings(smoothing_seconds=0))
    recognizer.shown = {0: HAPPY, 1: ANGRY}
    both, one = draw_scene([Patch(0, 80, 120), Patch(1, 240, 120)]), draw_scene([Patch(1, 240, 120)])
    for step in range(90):
        faces = analyzer.process(both if step < 30 else one, START + step * FRAME_SECONDS)
        if step % 4 == 0 and executor.waiting:
            executor.finish_next()
    assert [(face.track_id, face.label) for face in faces] == [(2, "anger")]


def test_at_most_one_task_of_a_viewer_waits() -> None:
    analyzer, _, executor = by_hand()
    image = draw_scene([Patch(0, 160, 120)])
    for step in range(120):
        analyzer.process(image, START + step * FRAME_SECONDS)
        assert len(executor.waiting) <= 1
        if step % 17 == 0:
            executor.finish_next()


@pytest.mark.slow
def test_a_slow_detector_searches_less_often_and_less_still_for_more_viewers() -> None:
    class Slow(FakeRecognizer):
        def detect(self, image: Image, smallest_face: float | None = None) -> list[Detection]:
            time.sleep(0.05)
            return super().detect(image, smallest_face)

    searches = []
    for viewers in (1, 2):
        recognizer = Slow()
        shared: Any = recognizer
        engine = LiveEngine(shared, AtOnce())
        analyzers = [LiveAnalyzer(engine, VideoSettings(detections_per_second=30)) for _ in range(viewers)]
        for step in range(61):
            for analyzer in analyzers:
                analyzer.process(np.zeros((24, 32, 3), np.uint8), START + step * FRAME_SECONDS)
        searches.append(recognizer.searches)
        assert all(analyzer.viewers == viewers for analyzer in analyzers)
    assert 6 <= searches[0] <= 12, "at most every 0.2 s, as a search takes 0.05 s"
    assert searches[1] <= 13, "both together as often as the one alone"


def test_viewers_who_left_are_not_counted() -> None:
    engine, _ = engine_with(AtOnce())
    assert engine.viewers(1, START) == 1
    assert engine.viewers(2, START + 1) == 2
    assert engine.viewers(2, START + 2.5) == 1


def test_two_viewers_take_turns_even_where_one_has_more_frames() -> None:
    executor = Manual()
    engine, recognizer = engine_with(executor)
    greedy, modest = (LiveAnalyzer(engine, VideoSettings(updates_per_second=rate)) for rate in (100, 5))
    large, small = draw_scene([Patch(0, 100, 100)]), draw_scene([Patch(1, 80, 60)], (160, 120))
    seen: list[tuple[int, ...]] = []

    def classify(image: Image, detections: list[Detection]) -> Any:
        seen.append(image.shape)
        return FakeRecognizer.classify(recognizer, image, detections)

    recognizer.classify = classify  # type: ignore[method-assign]
    for step in range(60):
        for part in range(4):
            greedy.process(large, START + step * 0.25 + part / 16)
        modest.process(small, START + step * 0.25 + 0.2)
        assert len(executor.waiting) <= 2
        executor.finish_next()
    turns = [shape == large.shape for shape in seen]
    assert 25 <= sum(turns) <= 35
    assert all(a != b for a, b in pairwise(turns[2:]))


def test_a_busy_machine_asks_for_fewer_frames_and_a_quick_one_for_more() -> None:
    analyzer, _, executor = by_hand()
    image = draw_scene([Patch(0, 40, 30, 24)], (80, 60))
    pauses = []
    for step in range(180):
        analyzer.process(image, START + step * FRAME_SECONDS)
        if step % 10 == 9 and executor.waiting:
            executor.finish_next()
        pauses.append(analyzer.frame_pause)
    assert pauses == sorted(pauses)
    assert pauses[-1] == MAX_FRAME_PAUSE
    for step in range(180, 360):
        if executor.waiting:
            executor.finish_next()
        analyzer.process(image, START + step * FRAME_SECONDS)
    assert analyzer.frame_pause == 0.0


# Errors


def test_an_error_of_the_detector_is_raised_once_and_the_next_frame_goes_on() -> None:
    analyzer, recognizer = at_once()
    recognizer.error = RuntimeError("out of memory")
    image = draw_scene([Patch(0, 160, 120)])
    analyzer.process(image, START)
    with pytest.raises(RuntimeError, match="out of memory"):
        analyzer.process(image, START + FRAME_SECONDS)
    faces, _ = play(analyzer, image, 1.0, START + 2 * FRAME_SECONDS)
    assert [face.track_id for face in faces] == [1]


def test_an_error_in_the_background_leaves_the_faces_that_were_known() -> None:
    analyzer, recognizer, executor = by_hand(VideoSettings(updates_per_second=1))
    image = draw_scene([Patch(0, 160, 120)])
    raised = 0
    for step in range(90):
        if executor.waiting:
            executor.finish_next()
        if step == 30:
            recognizer.error = RuntimeError("broken")
        try:
            faces = analyzer.process(image, START + step * FRAME_SECONDS)
        except RuntimeError:
            raised += 1
    assert raised == 1
    assert [face.track_id for face in faces] == [1]
    assert analyzer.people == 1


# Settings


@pytest.mark.parametrize(
    "wrong",
    [
        {"detections_per_second": 0},
        {"updates_per_second": -1},
        {"smallest_face": 0},
        {"smallest_face": 1.1},
        {"threshold": 1.1},
        {"smoothing_seconds": -0.1},
        {"smoothing_seconds": float("nan")},
        {"threshold": float("nan")},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    settings: Any = wrong
    with pytest.raises(ValueError, match=r"expected|must be"):
        VideoSettings(**settings)


def test_the_smallest_face_reaches_the_detector_while_the_video_plays() -> None:
    analyzer, recognizer = at_once(VideoSettings(smallest_face=0.3))
    image = draw_scene([])
    _, now = play(analyzer, image, 1.0)
    assert set(recognizer.smallest_faces) == {0.3}
    recognizer.smallest_faces.clear()
    analyzer.settings = VideoSettings(smallest_face=0.1)
    play(analyzer, image, 1.0, now)
    assert set(recognizer.smallest_faces) == {0.1}


@pytest.mark.slow
def test_searches_and_updates_come_as_often_as_asked() -> None:
    analyzer, recognizer = at_once()
    image, now = draw_scene([Patch(0, 60, 60)], (120, 120)), START
    for detections, updates in ((1, 4), (3, 15), (7.5, 10), (2, 30)):
        analyzer.settings = VideoSettings(detections_per_second=detections, updates_per_second=updates)
        _, now = play(analyzer, image, 1.5, now)
        recognizer.smallest_faces.clear()
        recognizer.classified = 0
        _, now = play(analyzer, image, 8.0, now)
        assert 0.8 * detections <= recognizer.searches / 8 <= 1.1 * detections + 0.2
        assert 0.9 * updates <= recognizer.classified / 8 <= 1.1 * updates + 0.2


def test_without_a_face_only_the_searches_cost_time() -> None:
    analyzer, recognizer = at_once()
    play(analyzer, draw_scene([], (64, 48)), 4.0)
    assert recognizer.classified == recognizer.searches <= 13


def test_the_strength_of_smoothing_acts_while_the_video_plays() -> None:
    analyzer, recognizer = at_once(VideoSettings(smoothing_seconds=5))
    image = draw_scene([Patch(0, 160, 120)])
    _, now = play(analyzer, image, 0.5)
    recognizer.shown = {0: HAPPY}
    faces, now = play(analyzer, image, 0.5, now)
    assert faces[0].label == "neutral"
    analyzer.settings = VideoSettings(smoothing_seconds=0)
    faces, now = play(analyzer, image, 0.2, now)
    assert (faces[0].label, faces[0].probabilities) == ("happiness", HAPPY)


# A person's own neutral


AT_REST = (0.3, 0.1, 0.6)
"""Looks angry when neutral."""


def resting() -> tuple[LiveAnalyzer, FakeRecognizer, Image, float]:
    """Somebody who was seen for two seconds."""
    analyzer, recognizer = at_once()
    recognizer.shown = {0: AT_REST}
    image = draw_scene([Patch(0, 160, 120)])
    return analyzer, recognizer, image, play(analyzer, image, 2.0)[1]


def test_three_seconds_of_neutral_are_taken_off_what_is_drawn_and_not_off_what_is_recorded() -> None:
    analyzer, recognizer, image, now = resting()
    analyzer.ask_neutral(1)
    smoothing = analyzer.settings.smoothing_seconds
    assert analyzer.neutral_left == (1, pytest.approx(NEUTRAL_SECONDS + smoothing))
    (face,), now = play(analyzer, image, 3.0, now)
    assert (face.label, face.raw) == ("anger", None)
    assert analyzer.neutral_left is not None and 0 < analyzer.neutral_left[1] < 0.6
    (face,), now = play(analyzer, image, 0.6, now)
    assert analyzer.neutral_left is None and not analyzer.neutral_problem
    assert (face.label, face.raw and face.raw.label) == ("neutral", "anger")
    assert face.probabilities == pytest.approx(without_shift(AT_REST, analyzer.recorder.baselines[1].shift))
    recognizer.shown = {0: HAPPY}
    (face,), now = play(analyzer, image, 3.0, now)
    assert face.label == "happiness"
    seen = analyzer.recorder.timeline()
    assert set(seen.summary()[1]) == {"neutral", "happiness"} and set(seen.raw.summary()[1]) == {"anger", "happiness"}
    recent = analyzer.recorder.recent()
    assert recent.shown["held"].tolist() == seen.shown["held"].tolist()


def test_it_is_undone_at_once() -> None:
    analyzer, _, image, now = resting()
    analyzer.ask_neutral(1)
    (face,), now = play(analyzer, image, 4.0, now)
    assert face.label == "neutral"
    analyzer.forget_neutral(1)
    (face,), now = play(analyzer, image, 0.1, now)
    assert (face.label, face.raw) == ("anger", None)
    assert set(analyzer.recorder.timeline().summary()[1]) == {"anger"}
    analyzer.ask_neutral(1)
    play(analyzer, image, 1.0, now)
    analyzer.forget_neutral(1)
    assert analyzer.neutral_left is None


def test_who_leaves_within_the_three_seconds_is_told_so_and_nothing_changes() -> None:
    analyzer, _, image, now = resting()
    analyzer.ask_neutral(1)
    _, now = play(analyzer, image, 1.5, now)
    _, now = play(analyzer, draw_scene([]), 3.0, now)
    assert "person 1" in analyzer.neutral_problem and analyzer.neutral_left is None
    assert not analyzer.recorder.baselines
    analyzer.ask_neutral(1)
    assert not analyzer.neutral_problem


def test_who_comes_back_has_the_own_neutral_still() -> None:
    analyzer, recognizer, image, now = resting()
    recognizer.shown[1] = AT_REST
    analyzer.ask_neutral(1)
    _, now = play(analyzer, image, 4.0, now)
    _, now = play(analyzer, draw_scene([]), 5.0, now)
    both = draw_scene([Patch(0, 60, 120), Patch(1, 240, 120)])
    faces, now = play(analyzer, both, 1.0, now)
    assert [(face.track_id, face.label) for face in faces] == [(1, "neutral"), (2, "anger")]
    assert analyzer.people == 2


def test_both_opinions_come_along_averaged() -> None:
    analyzer, recognizer = at_once()
    image = draw_scene([Patch(0, 160, 120)])
    recognizer.opinions = CALM, ANGRY
    (face,), now = play(analyzer, image, 1.0)
    assert face.opinions == (pytest.approx(CALM), pytest.approx(ANGRY)) and face.differing == ("neutral", "anger")
    recognizer.opinions = CALM, HAPPY
    (face,), now = play(analyzer, image, 0.3, now)
    assert face.opinions and 0.1 < face.opinions[1][1] < 0.8
    (kept,) = analyzer.recorder.timeline().faces_at(0.9)
    assert kept.differing == ("neutral", "anger")


# The long run


def test_the_timeline_is_what_was_shown() -> None:
    analyzer, recognizer = at_once(VideoSettings(smoothing_seconds=0))
    image = draw_scene([Patch(0, 160, 120)])
    for probabilities in (CALM, HAPPY):
        recognizer.shown = {0: probabilities}
        play(analyzer, image, 2.0, START + (2.0 if probabilities == HAPPY else 0.0))
    timeline = analyzer.recorder.timeline()
    assert timeline.starts == 0 and timeline.seconds == pytest.approx(4, abs=0.05)
    assert timeline.summary() == {1: pytest.approx({"neutral": 2, "happiness": 2}, abs=0.2)}


@pytest.mark.slow
def test_memory_is_bounded_over_ten_thousand_frames() -> None:
    analyzer, _ = at_once(VideoSettings(detections_per_second=1, updates_per_second=1))
    analyzer.recorder = Recorder(LABELS, SAMPLE_SECONDS, 300)
    pictures = _pictures_of_people_who_come_and_go()
    objects = []
    for step in range(10_000):
        analyzer.process(pictures(step), START + step * 0.1)
        if step in (4_000, 9_999):
            assert len(analyzer.recorder.timeline().rows) <= 300
            analyzer.recorder = Recorder(LABELS, SAMPLE_SECONDS, 300)
            gc.collect()
            objects.append(len(gc.get_objects()))
    assert analyzer.people > 100
    assert len(analyzer._follower._tracker._people) <= 4
    assert objects[1] - objects[0] < 500


def _pictures_of_people_who_come_and_go() -> Callable[[int], Image]:
    one, two = (
        draw_scene([Patch(0, 16, 12, 14)], (48, 36)),
        draw_scene([Patch(0, 16, 12, 14), Patch(1, 34, 24, 14)], (48, 36)),
    )
    nobody = draw_scene([], (48, 36))
    scenes: Sequence[Image] = [one, nobody, nobody, two, nobody, nobody]
    return lambda step: scenes[step // 40 % len(scenes)]
