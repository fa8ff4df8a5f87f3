"""Frames to and from a video connection; the clock stands still unless a test moves it."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import av
import numpy as np
import pytest

from fer.draw.frame import draw_live
from fer.video.follow import Draw
from fer.video.live import LiveAnalyzer, LiveEngine
from fer.video.settings import VideoSettings
from fer.video.stream import LiveStream
from fer.video.tracking import TrackedFace
from tests.video.scene import AtOnce, FakeRecognizer, Image, Patch, draw_scene

BARE = VideoSettings(mirror=False, show_boxes=False, show_labels=False, show_bars=False)
MIRROR = VideoSettings(mirror=True, show_boxes=False, show_labels=False, show_bars=False)


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


class CorruptFrame:
    def to_ndarray(self, format: str) -> Image:
        raise av.error.InvalidDataError(1, "cannot be decoded")


def plain(image: np.ndarray, faces: Sequence[TrackedFace], settings: VideoSettings) -> np.ndarray:
    return image


def stream_of(draw: Draw = draw_live, settings: VideoSettings = BARE) -> tuple[LiveStream, FakeRecognizer, Clock]:
    recognizer, clock = FakeRecognizer(), Clock()
    shared: Any = recognizer
    return LiveStream(LiveAnalyzer(LiveEngine(shared, AtOnce()), settings), draw, clock), recognizer, clock


def frame_of(image: Image) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(image, format="rgb24")


def pixels(frame: av.VideoFrame) -> Image:
    return np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)


def alike(frame: av.VideoFrame, image: Image) -> bool:
    """Whether a frame shows a picture; encoders store one color for two by two pixels."""
    return bool(np.abs(pixels(frame).astype(int) - image).mean() < 3)


def handed(stream: LiveStream, frames: list[av.VideoFrame]) -> list[av.VideoFrame]:
    with ThreadPoolExecutor(1) as thread:  # the browser tests keep an event loop running in this one
        return thread.submit(asyncio.run, stream.on_frames(frames)).result()


def failing_once(error: Exception) -> Callable[..., np.ndarray]:
    waiting = [error]

    def draw(image: np.ndarray, faces: Sequence[TrackedFace], settings: VideoSettings) -> np.ndarray:
        if waiting:
            raise waiting.pop()
        return image

    return draw


@pytest.mark.parametrize("size_wh", [(640, 480), (320, 180), (240, 322), (33, 17)])
def test_a_frame_keeps_its_size(size_wh: tuple[int, int]) -> None:
    stream, _, _ = stream_of(settings=VideoSettings())
    shown = stream.on_frame(frame_of(draw_scene([Patch(0, 20, 20, 12)], size_wh)))
    assert (shown.width, shown.height) == size_wh
    assert stream.figures().size_wh == size_wh


def test_pixels_outside_the_drawing_are_unchanged() -> None:
    stream, _, _ = stream_of()
    image = draw_scene([Patch(0, 160, 120)])
    assert alike(stream.on_frame(frame_of(image)), image)


@pytest.mark.parametrize("height", [120, 122])
def test_mirroring_swaps_sides_and_keeps_colors(height: int) -> None:
    stream, _, _ = stream_of(settings=MIRROR)
    image = np.zeros((height, 160, 3), np.uint8)
    image[:, :40] = (255, 0, 0)
    shown = pixels(stream.on_frame(frame_of(image)))
    assert np.all(np.abs(shown[:, 122:].astype(int) - (255, 0, 0)) < 4)
    assert np.all(shown[:, :118] < 4)


def test_the_analyzers_faces_are_drawn() -> None:
    drawn: list[tuple[tuple[int, ...], list[int | None], VideoSettings]] = []

    def keep(image: np.ndarray, faces: Sequence[TrackedFace], settings: VideoSettings) -> np.ndarray:
        drawn.append((image.shape, [face.track_id for face in faces], settings))
        return image

    stream, _, _ = stream_of(keep)
    for _ in range(2):
        stream.on_frame(frame_of(draw_scene([Patch(0, 80, 120), Patch(1, 240, 120)])))
    assert drawn[-1] == ((240, 320, 3), [1, 2], BARE)


def test_settings_replaced_while_the_video_plays_act_on_the_next_frame() -> None:
    stream, _, clock = stream_of()
    image = draw_scene([Patch(0, 80, 120)])
    stream.on_frame(frame_of(image))
    clock.seconds += 0.04
    stream.analyzer.settings = MIRROR
    assert alike(stream.on_frame(frame_of(image)), image[:, ::-1])


def test_figures_of_a_stream_that_has_not_begun_are_zero() -> None:
    figures = stream_of()[0].figures()
    assert (figures.frames, figures.dropped, figures.frames_per_second, figures.frame_ms) == (0, 0, 0.0, 0.0)
    assert (figures.faces, figures.size_wh, figures.errors, figures.last_error) == (0, (0, 0), 0, "")


def test_figures_count_frames_faces_and_rates() -> None:
    stream, _, clock = stream_of()
    frame = frame_of(draw_scene([Patch(0, 80, 120), Patch(1, 240, 120)]))
    for _ in range(90):
        stream.on_frame(frame)
        clock.seconds += 1 / 30
    figures = stream.figures()
    assert (figures.frames, figures.faces, figures.errors, figures.dropped) == (90, 2, 0, 0)
    assert figures.frames_per_second == pytest.approx(30, abs=1)
    assert figures.detections_per_second == pytest.approx(3, abs=0.6)
    assert figures.updates_per_second == pytest.approx(15, abs=2)
    assert figures.delay_ms == pytest.approx(1000 / 30), "it is taken in with the next frame"


def test_the_time_of_a_frame_is_the_median() -> None:
    clock = Clock()
    costs = iter([0.5, 0.01, 0.02, 0.01, 0.01])

    def slow(image: np.ndarray, faces: Sequence[TrackedFace], settings: VideoSettings) -> np.ndarray:
        clock.seconds += next(costs)
        return image

    shared: Any = FakeRecognizer()
    stream = LiveStream(LiveAnalyzer(LiveEngine(shared, AtOnce())), slow, clock)
    for _ in range(5):
        stream.on_frame(frame_of(draw_scene([])))
    assert stream.figures().frame_ms == pytest.approx(10)


# Errors


def test_a_frame_that_cannot_be_drawn_on_is_returned_unchanged() -> None:
    stream, _, clock = stream_of(failing_once(ValueError("no such font")))
    frame = frame_of(draw_scene([Patch(0, 160, 120)]))
    assert stream.on_frame(frame) is frame
    assert (stream.figures().errors, stream.figures().last_error) == (1, "ValueError: no such font")
    clock.seconds += 0.04
    assert stream.on_frame(frame) is not frame
    assert (stream.figures().errors, stream.figures().faces) == (1, 1)


def test_a_corrupt_frame_is_returned_unchanged() -> None:
    stream, _, clock = stream_of()
    corrupt: Any = CorruptFrame()
    assert stream.on_frame(corrupt) is corrupt
    figures = stream.figures()
    assert (figures.errors, figures.frames) == (1, 0)
    assert "cannot be decoded" in figures.last_error
    clock.seconds += 0.04
    image = draw_scene([Patch(0, 160, 120)])
    assert alike(stream.on_frame(frame_of(image)), image)


def test_an_error_of_the_model_stops_nothing() -> None:
    stream, recognizer, clock = stream_of()
    recognizer.error = RuntimeError("out of memory")
    frame = frame_of(draw_scene([Patch(0, 160, 120)]))
    stream.on_frame(frame)
    assert stream.on_frame(frame) is frame
    for _ in range(30):
        clock.seconds += 1 / 30
        stream.on_frame(frame)
    figures = stream.figures()
    assert (figures.errors, figures.last_error, figures.faces) == (1, "RuntimeError: out of memory", 1)


# Queued frames


def test_only_the_newest_queued_frame_is_shown_and_the_others_are_counted() -> None:
    stream, _, clock = stream_of(plain)
    shades = [np.full((24, 32, 3), shade, np.uint8) for shade in (10, 20, 30)]
    (shown,) = handed(stream, [frame_of(image) for image in shades])
    assert alike(shown, shades[-1])
    clock.seconds += 0.04
    assert len(handed(stream, [frame_of(shades[0])])) == 1
    assert (stream.figures().frames, stream.figures().dropped) == (2, 2)


def test_on_a_busy_machine_frames_are_left_out_until_the_pause_is_over() -> None:
    stream, _, clock = stream_of(plain)
    frame = frame_of(np.zeros((24, 32, 3), np.uint8))
    stream.analyzer.frame_pause = 0.1
    shown = []
    for _ in range(30):
        stream.analyzer.frame_pause = 0.1
        shown.append(len(handed(stream, [frame])))
        clock.seconds += 1 / 30
    assert shown[0] == 1
    assert 7 <= sum(shown) <= 10
    assert stream.figures().dropped == 30 - sum(shown)


def test_without_a_pause_no_frame_is_left_out() -> None:
    stream, _, clock = stream_of(plain)
    frame = frame_of(np.zeros((24, 32, 3), np.uint8))
    for _ in range(10):
        assert len(handed(stream, [frame])) == 1
        clock.seconds += 1 / 60
    assert stream.figures().dropped == 0
