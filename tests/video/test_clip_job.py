"""Videos in the background: how far they are, that they end when they should, and what is kept."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import pytest

from fer.draw.frame import draw_live
from fer.errors import VideoError
from fer.video import clip_job
from fer.video.clip import ClipOptions
from fer.video.clip_job import ClipJob
from fer.video.io.mp4 import Mp4Writer
from tests.video.clips import PatchRecognizer, still
from tests.video.scene import Image

PATIENCE_SECONDS = 120
"""After that a job hangs; no test depends on how long one takes."""


class Gated(PatchRecognizer):
    """Waits before each search until it is let through."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Semaphore(0)
        self.reached = threading.Event()

    def detect(self, image: Image, smallest_face: float | None = None) -> Any:
        self.reached.set()
        assert self.gate.acquire(timeout=PATIENCE_SECONDS)
        return super().detect(image, smallest_face)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return still(tmp_path_factory.mktemp("clip") / "two.mkv", 60)


Start = Callable[..., ClipJob]


@pytest.fixture
def start(video: Path) -> Iterator[Start]:
    """Starts a job: (recognizer, path=…, options=…, present=…)."""
    jobs: list[ClipJob] = []

    def begin(recognizer: Any = None, path: Path = video, options: ClipOptions | None = None, **others: Any) -> ClipJob:
        job = ClipJob(path, recognizer or PatchRecognizer(), options or ClipOptions(), draw_live, **others)
        jobs.append(job)
        return job

    yield begin
    for job in jobs:
        job.cancel()


def frames_of(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def test_it_is_done_and_leaves_a_video_that_goes_with_it(video: Path) -> None:
    recognizer: Any = PatchRecognizer()
    job = ClipJob(video, recognizer, ClipOptions(), draw_live)
    assert job.wait(PATIENCE_SECONDS)
    assert job.error == "" and not job.cancelled
    assert job.result is not None and job.result.complete and job.result.people == [1]
    assert frames_of(job.video) == 60
    assert job.progress().share == pytest.approx(1, abs=0.05)
    folder = job.video.parent
    del job
    for _ in range(100):
        if not folder.exists():
            break
        time.sleep(0.05)
    assert not folder.exists()


def test_it_says_how_far_it_is_and_how_long_it_will_take(start: Start) -> None:
    recognizer = Gated()
    job = start(recognizer)
    assert recognizer.reached.wait(PATIENCE_SECONDS)
    assert not job.done and job.progress().share == 0
    recognizer.gate.release()
    recognizer.reached.clear()
    assert recognizer.reached.wait(PATIENCE_SECONDS)
    now = job.progress()
    assert now.share and 0.1 < now.share < 0.3 and now.people == 1 and now.speed > 0
    time.sleep(1)
    left = job.progress().seconds_left
    assert left is not None and left > 0


def test_cancelled_it_ends_within_a_second_and_keeps_what_was_seen(start: Start) -> None:
    recognizer = Gated()
    for _ in range(3):
        recognizer.gate.release()
    job = start(recognizer)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while job.progress().video_seconds < 0.9 and time.monotonic() < deadline:
        time.sleep(0.01)
    job.cancel()
    began = time.monotonic()
    recognizer.gate.release()
    assert job.wait(PATIENCE_SECONDS)
    assert time.monotonic() - began < 1
    assert job.error == "" and job.cancelled
    assert job.result is not None and not job.result.complete
    assert 10 <= len(job.result.frame_seconds) < 60
    assert job.result.ends == pytest.approx(len(job.result.frame_seconds) / 30, abs=0.01)
    assert frames_of(job.video) == len(job.result.frame_seconds)


def test_what_is_no_video_is_said(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_text("no video")
    job = start(path=path)
    assert job.wait(PATIENCE_SECONDS)
    assert "expected a video" in job.error and job.result is None


def test_an_error_on_the_way_keeps_what_was_seen(start: Start) -> None:
    class Ill(PatchRecognizer):
        def detect(self, image: Image, smallest_face: float | None = None) -> Any:
            if self.searches == 3:
                raise RuntimeError("the model has a bad day")
            return super().detect(image, smallest_face)

    job = start(Ill())
    assert job.wait(PATIENCE_SECONDS)
    assert job.error == "RuntimeError: the model has a bad day"
    assert job.result is not None and not job.result.complete and len(job.result.frame_seconds) >= 25
    assert frames_of(job.video) == len(job.result.frame_seconds)


def test_a_disk_that_refuses_leaves_the_figures(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Mp4Writer, image: Image, seconds: float) -> None:
        if self.frames == 20:
            raise VideoError("no space left")
        self.frames += 1

    monkeypatch.setattr(Mp4Writer, "write", full)
    job = start()
    assert job.wait(PATIENCE_SECONDS)
    assert job.error == "no space left" and not job.video.exists()
    assert job.result is not None and not job.result.complete and len(job.result.frame_seconds) >= 20


def test_no_more_than_some_at_once_and_who_waits_can_be_cancelled(start: Start) -> None:
    recognizer = Gated()
    first = [start(recognizer) for _ in range(clip_job.AT_ONCE)]
    assert recognizer.reached.wait(PATIENCE_SECONDS)
    waiting, last = start(recognizer), start(recognizer)
    time.sleep(0.3)
    assert waiting.progress().waiting
    waiting.cancel()
    assert waiting.wait(PATIENCE_SECONDS) and waiting.result is None and waiting.error == ""
    for _ in range(1000):
        recognizer.gate.release()
    for job in (*first, last):
        assert job.wait(PATIENCE_SECONDS) and job.result is not None and job.result.complete


def test_who_has_gone_is_not_worked_for(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clip_job, "ABSENCE_SECONDS", 0.0)
    recognizer = Gated()
    job = start(recognizer, present=lambda: False)
    for _ in range(1000):
        recognizer.gate.release()
    assert job.wait(PATIENCE_SECONDS)
    assert job.result is not None and not job.result.complete
