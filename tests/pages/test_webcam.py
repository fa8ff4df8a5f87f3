"""The webcam page with a stand-in for the browser's connection: frames are handed to the callback directly."""

import asyncio
import itertools
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import cv2
import numpy as np
import pytest
import streamlit as st
from aiortc import VideoStreamTrack
from aiortc.contrib.media import MediaRelay
from streamlit.testing.v1 import AppTest

from fer.faces import NOT_HUMAN, difference
from fer.results import recording as recordings
from fer.results.photo import PhotoRecord
from fer.results.result import COMPLETE, NOTHING, PHOTO, WEBCAM, Settings
from fer.results.store import ResultStore
from fer.results.timeline import read_timeline
from fer.video.job import TIMELINE_NAME
from fer.video.notes import read_notes
from fer.video.stream import LiveStream
from pages.parts.neutral import NO_NEUTRAL
from scripts.nonhuman import drawn_animal
from tests.scripts.processes import wait_until

ENTRY = str(Path(__file__).parents[2] / "streamlit_app.py")
DOWNLOAD = "Download snapshot"


pytestmark = pytest.mark.usefixtures("at_the_machine")


class FakeStreamer:
    """Takes the place of `webrtc_streamer`: remembers what it was given and plays what the test says."""

    def __init__(self) -> None:
        self.given: dict[str, Any] = {}
        self.state = SimpleNamespace(playing=False, signalling=False)
        self.relay = MediaRelay()

    def __call__(self, **given: Any) -> "FakeStreamer":
        self.given = given
        st.session_state["webcam"] = self
        st.button("START or STOP", "streamer", on_click=given["on_change"])
        return self

    def switch(self, app: AppTest, playing: bool) -> None:
        """Press START or STOP, as the component does it: the callback first, then the page."""
        self.state = SimpleNamespace(playing=playing, signalling=False)
        app.button(key="streamer").click().run()

    def play(self, image: np.ndarray, frames: int = 1) -> list[av.VideoFrame]:
        callback: Callable[[list[av.VideoFrame]], Any] = self.given["queued_video_frames_callback"]
        shown: list[av.VideoFrame] = []
        for _ in range(frames):
            with ThreadPoolExecutor(1) as thread:  # the browser tests keep an event loop running in this one
                frame = av.VideoFrame.from_ndarray(image, format="rgb24")
                shown += thread.submit(asyncio.run, callback([frame])).result()
        return shown


@pytest.fixture
def streamer(monkeypatch: pytest.MonkeyPatch) -> FakeStreamer:
    fake = FakeStreamer()
    monkeypatch.setattr("streamlit_webrtc.relay.get_global_relay", lambda: fake.relay)
    monkeypatch.setattr("streamlit_webrtc.webrtc_streamer", fake)
    return fake


@pytest.fixture
def app(streamer: FakeStreamer) -> AppTest:
    return AppTest.from_file(ENTRY, default_timeout=120).run().switch_page("pages/webcam.py").run()


def test_nothing_starts_before_somebody_presses_start(app: AppTest, streamer: FakeStreamer) -> None:
    assert not app.exception
    assert streamer.given.get("desired_playing_state") is None
    assert streamer.given["media_stream_constraints"]["audio"] is False
    assert streamer.given["rtc_configuration"] == {"iceServers": []}
    assert streamer.given["async_processing"] is True


class Numbered(VideoStreamTrack):
    """A hundred frames a second, numbered."""

    number = 0

    async def recv(self) -> av.VideoFrame:
        await asyncio.sleep(0.01)
        frame = av.VideoFrame(16, 16)
        self.number += 1
        frame.pts = self.number
        return frame


def test_a_viewer_who_is_late_gets_the_newest_frame_and_not_a_queue(app: AppTest, streamer: FakeStreamer) -> None:
    async def numbers() -> list[int]:
        source = Numbered()
        seen = streamer.relay.subscribe(source)
        frames = [await seen.recv()]
        await asyncio.sleep(0.3)
        frames.append(await seen.recv())
        seen.stop()
        source.stop()
        return [frame.pts or 0 for frame in frames if isinstance(frame, av.VideoFrame)]

    with ThreadPoolExecutor(1) as thread:
        first, second = thread.submit(asyncio.run, numbers()).result()
    assert second > first + 5


class Repeating(VideoStreamTrack):
    """Each frame twice, as the library does while there is no new one."""

    asked = 0

    async def recv(self) -> av.VideoFrame:
        await asyncio.sleep(0.01)
        if self.asked % 2 == 0:
            self.frame = av.VideoFrame(16, 16)
            self.frame.pts = self.asked
        self.asked += 1
        return self.frame


def test_a_frame_that_was_sent_is_not_sent_again(app: AppTest, streamer: FakeStreamer) -> None:
    async def numbers() -> list[int | None]:
        source = Repeating()
        seen = streamer.relay.subscribe(source)
        numbers = [(await seen.recv()).pts for _ in range(3)]
        source.stop()
        return numbers

    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(asyncio.run, numbers()).result() == [0, 2, 4]


def seen_by(app: AppTest, streamer: FakeStreamer, image: np.ndarray) -> LiveStream:
    """Start, and show a picture until the model, in its own thread, has seen a face."""
    streamer.switch(app, playing=True)
    stream: LiveStream = app.session_state["webcam_stream"]
    for _ in range(400):
        streamer.play(image)
        if stream.figures().faces:
            break
    streamer.play(image, 3)
    return stream


def press(app: AppTest, label: str) -> None:
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception and not app.error


def downloads(app: AppTest) -> set[str]:
    return {button.proto.label for button in app.get("download_button")}


def headings(app: AppTest) -> list[str]:
    return [heading.value for heading in app.subheader]


def test_frames_come_back_and_are_counted_and_summed_up(
    app: AppTest, streamer: FakeStreamer, astronaut: np.ndarray, results: Path
) -> None:
    seen_by(app, streamer, astronaut)
    (shown,) = streamer.play(astronaut)
    assert (shown.width, shown.height) == (512, 512)
    app.run()
    assert not app.exception
    figures = {metric.label: metric.value for metric in app.metric}
    assert figures["Faces in view"] == "1"
    assert app.get("plotly_chart")
    streamer.switch(app, playing=False)
    assert not app.exception and not app.error
    assert "Recording" in headings(app)
    assert len(app.get("download_button")) == 4 and len(app.get("plotly_chart")) == 3
    (kept,) = ResultStore(results).list("").results
    assert (kept.kind, kept.state, kept.figures.people) == (WEBCAM, COMPLETE, 1)
    assert app.query_params["result"] == kept.id

    again = AppTest.from_file(ENTRY, default_timeout=120).run().switch_page("pages/webcam.py")  # a reload
    again.query_params["result"] = kept.id
    again.run()
    assert "Recording" in headings(again) and len(again.get("plotly_chart")) == 3

    press(app, "Delete")
    assert "Recording" not in headings(app) and not ResultStore(results).list("").results
    assert not app.session_state["webcam_stream"].analyzer.recorder.frames
    press(app, "Undo")
    assert ResultStore(results).get(kept.id, "") and app.query_params["result"] == kept.id
    assert "Recording" in headings(app)


def test_a_machine_that_is_behind_says_so(app: AppTest, streamer: FakeStreamer, astronaut: np.ndarray) -> None:
    stream = seen_by(app, streamer, astronaut)
    captions = []
    for stream.analyzer.frame_pause in (0.0, 0.1):
        app.run()
        captions.append(len(app.caption))
    assert captions[1] == captions[0] + 1


def test_after_a_look_at_another_page_what_is_seen_is_recorded_anew(
    app: AppTest, streamer: FakeStreamer, astronaut: np.ndarray, results: Path
) -> None:
    first = seen_by(app, streamer, astronaut)
    streamer.state = SimpleNamespace(playing=False, signalling=False)  # without a word to the page
    app.switch_page("pages/photo.py").run()
    app.switch_page("pages/webcam.py").run()
    assert seen_by(app, streamer, astronaut) is not first
    streamer.switch(app, playing=False)
    assert not app.exception and ResultStore(results).list("").total == 2


def test_what_cannot_be_kept_is_told_shown_from_memory_and_kept_once_it_can_be(
    app: AppTest, streamer: FakeStreamer, astronaut: np.ndarray, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*given: object, **named: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(recordings, "write_timeline", fails)
        patch.setattr(recordings, "KEEP_SECONDS", 0.05)
        seen_by(app, streamer, astronaut)
        recording = app.session_state["webcam_recording"]
        wait_until(lambda: recording.problem)
        app.run()
        assert any("the disk is full" in error.value for error in app.error)
        streamer.switch(app, playing=False)
        assert any("the disk is full" in error.value for error in app.error) and "Recording" in headings(app)
        assert len(app.get("download_button")) == 4 and "result" not in app.query_params
    app.run()
    (kept,) = ResultStore(results).list("").results
    assert not app.error and kept.state == COMPLETE and app.query_params["result"] == kept.id


@pytest.mark.slow
def test_another_model_begins_another_recording_and_drops_nothing(
    app: AppTest, streamer: FakeStreamer, astronaut: np.ndarray, results: Path, monkeypatch: pytest.MonkeyPatch,
    tiny_checkpoint: Path,
) -> None:  # fmt: skip
    first = seen_by(app, streamer, astronaut)
    monkeypatch.setenv("FER_CHECKPOINT", str(tiny_checkpoint))
    app.run()
    assert app.session_state["webcam_stream"] is not first and len(app.toast) == 1
    (kept,) = ResultStore(results).list("").results
    assert kept.state == COMPLETE and kept.figures.people == 1
    seen_by(app, streamer, astronaut)
    streamer.switch(app, playing=False)
    assert ResultStore(results).list("").total == 2


@pytest.mark.slow
def test_a_snapshot_is_kept_as_a_photo_of_the_cameras_size(
    app: AppTest, streamer: FakeStreamer, astronaut: np.ndarray, results: Path
) -> None:
    seen_by(app, streamer, astronaut)
    app.run()
    press(app, "Take snapshot")
    store = ResultStore(results)
    (photo,) = store.list("", kinds=[PHOTO]).results
    record = store.record(photo, PhotoRecord)
    assert record and record.size_wh == (512, 512) and len(record.faces) == 1 and store.picture(photo) is None
    assert DOWNLOAD in downloads(app)
    streamer.switch(app, playing=False)
    assert DOWNLOAD in downloads(app)
    streamer.switch(app, playing=True)
    assert DOWNLOAD not in downloads(app)


def test_where_nothing_is_kept_it_is_held_in_memory(
    app: AppTest, streamer: FakeStreamer, astronaut: np.ndarray, results: Path
) -> None:
    ResultStore(results).settings = Settings(NOTHING)
    seen_by(app, streamer, astronaut)
    app.run()
    press(app, "Take snapshot")
    assert DOWNLOAD in downloads(app)
    streamer.switch(app, playing=False)
    assert "Recording" in headings(app) and "result" not in app.query_params
    assert not ResultStore(results).list("").total


def watched(app: AppTest, streamer: FakeStreamer, image: np.ndarray, faces: int = 1) -> LiveStream:
    """Return a stream with some faces in view, whose time goes on by a tenth of a second or so with each frame."""
    streamer.switch(app, playing=True)
    stream: LiveStream = app.session_state["webcam_stream"]
    for _ in range(400):
        streamer.play(image)
        if len(stream.faces) == faces:
            break
    times = itertools.count(int(stream._clock()) + 1, 0.05)
    stream._clock = lambda: next(times)
    app.run()
    return stream


def keys(app: AppTest) -> set[str]:
    return {str(button.key) for button in app.button} & {
        f"{what}neutral_{person}" for what in ("", "undo_") for person in range(9)
    }


@pytest.mark.slow
def test_a_persons_neutral_is_taken_off_shown_beside_what_was_read_and_undone(
    app: AppTest, streamer: FakeStreamer, astronaut: np.ndarray, results: Path
) -> None:
    stream = watched(app, streamer, astronaut)
    assert keys(app) == {"neutral_1"}
    app.button(key="neutral_1").click().run()
    assert stream.analyzer.neutral_left and not stream.analyzer.recorder.baselines and not keys(app)
    assert not [toggle for toggle in app.toggle if toggle.label == "Raw readings"]
    while stream.analyzer.neutral_left:
        streamer.play(astronaut)
    app.run()
    assert not app.exception and keys(app) == {"undo_neutral_1"}
    assert any("neutral" in one.value and "raw happiness" in one.value for one in app.markdown)
    next(toggle for toggle in app.toggle if toggle.label == "Raw readings").set_value(True).run()
    assert not app.exception
    streamer.switch(app, playing=False)
    assert set(stream.analyzer.recorder.baselines) == {1} and keys(app) == {"undo_neutral_1"}
    app.button(key="undo_neutral_1").click().run()
    assert not app.exception and not app.error and not keys(app)
    (kept,) = ResultStore(results).list("").results
    folder = ResultStore(results).folder(kept)
    seen = read_timeline(folder / TIMELINE_NAME)
    assert seen and not read_notes(folder).applied(seen).baselines


@pytest.mark.slow
def test_what_both_heads_say_is_shown_where_they_differ(
    streamer: FakeStreamer, astronaut: np.ndarray, two_heads: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FER_CHECKPOINT", str(two_heads))
    app = AppTest.from_file(ENTRY, default_timeout=120).run().switch_page("pages/webcam.py").run()
    (face,) = watched(app, streamer, astronaut).faces
    assert face.differing == ("neutral", "anger") and not app.exception
    assert any(difference(face) in caption.value for caption in app.caption)


def test_each_of_two_people_has_a_button_and_who_leaves_is_told_so(
    app: AppTest, streamer: FakeStreamer, astronaut: np.ndarray
) -> None:
    half = astronaut[:300, 60:380]
    stream = watched(app, streamer, np.concatenate([half, half[:, ::-1]], axis=1), faces=2)
    assert keys(app) == {"neutral_1", "neutral_2"}
    app.button(key="neutral_2").click().run()
    empty = np.full((300, 640, 3), 99, np.uint8)
    while stream.analyzer.neutral_left:
        streamer.play(empty)
    app.run()
    assert "person 2" in app.warning[0].value and not stream.analyzer.recorder.baselines


def test_it_says_who_may_not_be_human(app: AppTest, streamer: FakeStreamer, astronaut: np.ndarray) -> None:
    half, animal = astronaut[:300, 60:380], cv2.resize(drawn_animal(np.random.default_rng(46)), (300, 300))
    stream = watched(app, streamer, np.concatenate([half, animal], axis=1), faces=2)
    assert [face.looks_human for face in stream.faces] == [True, False]
    assert [one.value.split()[1:3] for one in app.caption if NOT_HUMAN in one.value] == [["person", "2"]]


def test_a_model_that_does_not_know_what_is_neutral_offers_nothing(
    streamer: FakeStreamer, astronaut: np.ndarray, tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FER_CHECKPOINT", str(tiny_checkpoint))
    app = AppTest.from_file(ENTRY, default_timeout=120).run().switch_page("pages/webcam.py").run()
    watched(app, streamer, astronaut)
    assert not app.exception and not keys(app) and any(caption.value == NO_NEUTRAL for caption in app.caption)


def test_settings_act_on_the_running_stream(app: AppTest, streamer: FakeStreamer) -> None:
    streamer.switch(app, playing=True)
    analyzer = app.session_state["webcam_stream"].analyzer
    next(slider for slider in app.slider if slider.label == "Smoothing").set_value(0.0).run()
    app.toggle[0].set_value(False).run()
    assert app.session_state["webcam_stream"].analyzer is analyzer
    assert analyzer.settings.smoothing_seconds == 0
    assert analyzer.settings.mirror is False


def test_an_error_in_the_engine_is_shown_and_the_picture_goes_on(
    app: AppTest, streamer: FakeStreamer, monkeypatch: pytest.MonkeyPatch
) -> None:
    streamer.switch(app, playing=True)
    analyzer = app.session_state["webcam_stream"].analyzer
    black = np.zeros((120, 160, 3), np.uint8)

    def fails(*_: object) -> None:
        raise RuntimeError("the model has a bad day")

    with monkeypatch.context() as patch:
        patch.setattr(analyzer, "process", fails)
        (shown,) = streamer.play(black)
    assert not shown.to_ndarray(format="rgb24").any()
    app.run()
    assert "the model has a bad day" in app.error[0].value
    streamer.play(black)
    assert app.session_state["webcam_stream"].figures().frames == 1


def test_servers_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, streamer: FakeStreamer) -> None:
    servers = [{"urls": "stun:stun.example.org:3478"}]
    monkeypatch.setenv("FER_ICE_SERVERS", json.dumps(servers))
    app = AppTest.from_file(ENTRY, default_timeout=120).run().switch_page("pages/webcam.py").run()
    assert streamer.given["rtc_configuration"] == {"iceServers": servers}
    monkeypatch.setenv("FER_ICE_SERVERS", "stun:stun.example.org")
    app.run()
    assert "JSON" in app.error[0].value
