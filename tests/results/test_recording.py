"""A camera is recorded while it is shown, and the recording survives however it ends."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import pytest

from fer.draw.frame import draw_live
from fer.results import recording as recordings
from fer.results.recording import Recording
from fer.results.result import COMPLETE, INTERRUPTED, NOTHING, PICTURES, RUNNING, WEBCAM, Result, Settings
from fer.results.store import SILENT_SECONDS, ResultStore
from fer.results.timeline import read_timeline
from fer.video.job import TIMELINE_NAME
from fer.video.live import LiveAnalyzer, LiveEngine
from fer.video.stream import LiveStream
from fer.video.timeline import Timeline
from tests.scripts.processes import wait_until
from tests.video.scene import AtOnce, FakeRecognizer, Patch, draw_scene

SOMEBODY, NOBODY = draw_scene([Patch(0, 160, 120)]), draw_scene([])


class Camera:
    """Feeds frames to a stream, ten per second."""

    def __init__(self, store: ResultStore) -> None:
        shared: Any = FakeRecognizer()
        analyzer = LiveAnalyzer(LiveEngine(shared, AtOnce()))
        self.seconds = 0.0
        self.recording = Recording(store, "me", "Webcam", analyzer, "model")
        self.stream = LiveStream(analyzer, draw_live, lambda: self.seconds, self.recording)

    def show(self, image: Any = SOMEBODY, frames: int = 30) -> None:
        for _ in range(frames):
            self.stream.on_frame(av.VideoFrame.from_ndarray(image, format="rgb24"))
            self.seconds += 0.1
        assert not self.stream.figures().errors


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ResultStore:
    monkeypatch.setattr(recordings, "KEEP_SECONDS", 0.05)
    return ResultStore(tmp_path)


@pytest.fixture
def camera(store: ResultStore) -> Iterator[Camera]:
    camera = Camera(store)
    yield camera
    camera.recording.end()


def rows(store: ResultStore) -> list[Result]:
    return list(store.list("me").results)


def seen(store: ResultStore, result: Result) -> Timeline:
    timeline = read_timeline(store.folder(result) / TIMELINE_NAME)
    assert timeline
    return timeline


def test_it_grows_while_it_is_watched_and_is_complete_at_the_end(store: ResultStore, camera: Camera) -> None:
    camera.show(NOBODY)
    assert not rows(store), "nobody was seen"
    camera.show()
    wait_until(lambda: rows(store) and store.thumbnail(rows(store)[0]))
    (row,) = rows(store)
    assert (row.kind, row.state, row.name, row.model) == (WEBCAM, RUNNING, "Webcam", "model")
    camera.show()
    wait_until(lambda: seen(store, row).ends > 8)
    camera.recording.end()
    (row,) = rows(store)
    assert row.state == COMPLETE and row.figures.people == 1
    assert row.figures.seconds == pytest.approx(8.9) and set(row.figures.expressions) == {"neutral"}
    assert len(store.faces(row)) == 1 and store.picture(row) is None
    camera.show()
    assert rows(store) == [row], "what comes after the end is not taken in"


def test_it_is_complete_when_nobody_watches_and_continues_afterwards(
    store: ResultStore, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera.show()
    monkeypatch.setattr(recordings, "SILENT_SECONDS", 0.0)
    wait_until(lambda: [row.state for row in rows(store)] == [COMPLETE])
    monkeypatch.setattr(recordings, "SILENT_SECONDS", 1000.0)
    wait_until(lambda: camera.recording._thread is None)
    camera.show()
    wait_until(lambda: [row.state for row in rows(store)] == [RUNNING])
    camera.recording.end()
    (row,) = rows(store)
    assert row.state == COMPLETE and seen(store, row).ends == pytest.approx(5.9)


def test_the_annotated_video_is_kept_if_pictures_are(store: ResultStore) -> None:
    store.settings = Settings(PICTURES)
    camera = Camera(store)
    camera.show(frames=3)
    wait_until(lambda: camera.recording._video)
    camera.show(frames=100)
    camera.recording.end()
    (row,) = rows(store)
    video = store.picture(row)
    assert video and row.file_bytes > video.stat().st_size
    with av.open(str(video)) as container:
        assert 100 <= len(list(container.decode(video=0))) <= 102  # the first ones come while the file is made


def test_nothing_is_kept_on_request(store: ResultStore, tmp_path: Path) -> None:
    store.settings = Settings(NOTHING)
    camera = Camera(store)
    camera.show()
    camera.recording.end()
    assert not rows(store) and not list((tmp_path / "files").iterdir())


def test_a_recording_deleted_midway_stays_deleted_and_reports_it(store: ResultStore, camera: Camera) -> None:
    camera.show()
    wait_until(lambda: rows(store) and store.thumbnail(rows(store)[0]))
    store.delete([rows(store)[0].id], "me")
    camera.recording.end()
    assert camera.recording.problem and not rows(store)
    camera.show()
    assert not rows(store)


def test_a_recording_without_its_process_is_interrupted(store: ResultStore, camera: Camera) -> None:
    camera.show()
    wait_until(lambda: rows(store))
    store.sweep(time.time() + 2 * SILENT_SECONDS)
    assert [row.state for row in rows(store)] == [INTERRUPTED]


def test_silence_does_not_end_the_annotated_video(store: ResultStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.settings = Settings(PICTURES)
    camera = Camera(store)
    camera.show(frames=3)
    wait_until(lambda: camera.recording._video)
    camera.show(frames=20)
    with monkeypatch.context() as patch:
        patch.setattr(recordings, "SILENT_SECONDS", 0.0)
        wait_until(lambda: camera.recording._thread is None)
    camera.show(frames=20)
    camera.recording.end()
    (row,) = rows(store)
    assert [path.name for path in store.folder(row).glob("picture*")] == ["picture.mp4"]
    with av.open(str(store.picture(row))) as container:
        assert 40 <= len(list(container.decode(video=0))) <= 42


def test_a_temporary_error_is_reported_and_retried(
    store: ResultStore, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*given: object, **named: object) -> None:
        raise OSError("the disk is full")

    camera.show()
    wait_until(lambda: rows(store))
    with monkeypatch.context() as patch:
        patch.setattr(recordings, "write_timeline", fails)
        wait_until(lambda: "full" in camera.recording.problem)
    wait_until(lambda: not camera.recording.problem)
    camera.show()
    with monkeypatch.context() as patch:
        patch.setattr(recordings, "write_timeline", fails)
        camera.recording.end()
    assert "full" in camera.recording.problem and rows(store)[0].state == RUNNING
    camera.recording.end()
    (row,) = rows(store)
    assert not camera.recording.problem and row.state == COMPLETE and seen(store, row).ends == pytest.approx(5.9)
