"""A video as a job, in this process: what is kept however it ends, and waiting for its turn."""

import shutil
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import av
import numpy as np
import numpy.typing as npt
import pytest

from fer.cli import video_job
from fer.errors import VideoError
from fer.jobs.job import JobView, is_begun, view, working, write_request
from fer.jobs.status import FAILED, FINISHED, RUNNING, STATUS_NAME, STOPPED
from fer.recognition.recognizer import Recognizer
from fer.results.timeline import read_timeline, write_timeline
from fer.video.io.files import picture_at
from fer.video.io.mp4 import Mp4Writer
from fer.video.job import (
    DRAWING,
    KIND,
    LOADING,
    LOOKING,
    TIMELINE_NAME,
    WAITING,
    VideoRequest,
    job_anew,
    keep_upload,
    new_job,
    upload_path,
)
from fer.video.neutral import MEDIAN, SECONDS, Baseline
from fer.video.notes import is_drawn_as_noted, keep_notes, read_notes
from fer.video.settings import ClipOptions
from fer.video.timeline import Timeline
from tests.video.clips import PatchRecognizer, still

Image = npt.NDArray[np.uint8]
PATIENCE_SECONDS = 60


class Asked:
    """A stop request that a test can make."""

    def __init__(self) -> None:
        self.asked = self.gently = False


class Gated(PatchRecognizer):
    """Detects only when it is allowed to."""

    def __init__(self) -> None:
        super().__init__()
        self.gate, self.reached = threading.Semaphore(0), threading.Event()

    def detect(self, image: Image, smallest_face: float | None = None) -> Any:
        self.reached.set()
        assert self.gate.acquire(timeout=PATIENCE_SECONDS)
        return super().detect(image, smallest_face)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return still(tmp_path / "clip.mkv")


@pytest.fixture
def recognizer(monkeypatch: pytest.MonkeyPatch) -> PatchRecognizer:
    return use(PatchRecognizer(), monkeypatch)


def use(recognizer: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(Recognizer, "load", lambda *_, **__: recognizer)
    return recognizer


def job_of(video: Path, tmp_path: Path, **options: Any) -> Path:
    return new_job(tmp_path / "videos", VideoRequest(video, Path("model"), ClipOptions(**options)))


def do(folder: Path, stop: Asked | None = None) -> JobView[VideoRequest]:
    request = view(folder, KIND).request
    assert request is not None
    try:
        with working(folder) as reporter:
            video_job.run(folder, request, reporter, stop or Asked())
    except Exception:  # its status has the error
        pass
    return view(folder, KIND)


def kept(folder: Path) -> Timeline:
    timeline = read_timeline(folder / TIMELINE_NAME)
    assert timeline is not None
    return timeline


def frames_of(folder: Path) -> int:
    with av.open(str(folder / "clip-faces.mp4")) as container:
        return sum(1 for _ in container.decode(video=0))


@pytest.mark.slow
@pytest.mark.usefixtures("recognizer")
def test_it_leaves_a_timeline_and_a_matching_video(video: Path, tmp_path: Path) -> None:
    folder = job_of(video, tmp_path)
    seen = do(folder)
    assert seen.state == FINISHED and seen.status.share == pytest.approx(1, abs=0.05)
    assert seen.status.figures["people"] == 1 and seen.status.figures["frames"] == 60
    assert kept(folder).complete and kept(folder).people == [1] and kept(folder).name == "clip.mkv"
    assert frames_of(folder) == 60


def test_a_stopped_job_keeps_its_timeline(video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recognizer, stop, folder = use(Gated(), monkeypatch), Asked(), job_of(video, tmp_path)
    for _ in range(4):
        recognizer.gate.release()
    worker = threading.Thread(target=do, args=(folder, stop))
    worker.start()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while view(folder, KIND).status.done < 0.9 and time.monotonic() < deadline:
        time.sleep(0.01)
        stop.asked = recognizer.searches == 4 and recognizer.classified > 18
        if stop.asked:
            break
    stop.asked = True
    recognizer.gate.release()
    worker.join(PATIENCE_SECONDS)
    assert view(folder, KIND).state == STOPPED
    assert not kept(folder).complete and 0 < kept(folder).frames < 60
    assert frames_of(folder) == kept(folder).frames


@pytest.mark.usefixtures("recognizer")
def test_a_file_that_is_no_video_is_refused_without_naming_folders(tmp_path: Path) -> None:
    folder = new_job(tmp_path / "videos", VideoRequest(upload_path("../b.mp4"), Path("model"), ClipOptions()))
    request = view(folder, KIND).request
    assert request and request.is_upload
    keep_upload(folder, request, memoryview(b"no video"))
    seen = do(folder)
    assert seen.state == FAILED
    assert "video" in seen.message and str(tmp_path) not in seen.message
    assert not (folder / TIMELINE_NAME).exists()


@pytest.mark.slow
def test_with_an_own_neutral_the_video_is_drawn_at_the_end(tmp_path: Path, recognizer: PatchRecognizer) -> None:
    recognizer.shown[0] = (0.3, 0.1, 0.6)
    folder = job_of(still(tmp_path / "long.mkv", 90), tmp_path, median_neutral=True)
    seen = do(folder)
    assert (seen.state, seen.status.what) == (FINISHED, DRAWING)
    assert kept(folder).complete and kept(folder).baselines[1].how == MEDIAN
    assert set(kept(folder).summary()[1]) == {"neutral"} and set(kept(folder).raw.summary()[1]) == {"anger"}
    with av.open(str(folder / "long-faces.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == 90


@pytest.mark.slow
def test_an_error_keeps_the_timeline_so_far(video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Ill(PatchRecognizer):
        def detect(self, image: Image, smallest_face: float | None = None) -> Any:
            if self.searches == 5:
                raise RuntimeError("the model has a bad day")
            return super().detect(image, smallest_face)

    use(Ill(), monkeypatch)
    folder = job_of(video, tmp_path)
    seen = do(folder)
    assert (seen.state, seen.message) == (FAILED, "RuntimeError: the model has a bad day")
    assert not kept(folder).complete and kept(folder).frames >= 25
    assert frames_of(folder) == kept(folder).frames


def drawn_anew(folder: Path, stop: Asked | None = None) -> JobView[VideoRequest]:
    request = view(folder, KIND).request
    assert request is not None
    write_request(folder, KIND, replace(request, draws_only=True))
    return do(folder, stop)


def difference(folder: Path, video: Path) -> float:
    """Return how far the annotated video is from the original, 0..255 on average."""
    one, other = (picture_at(path, 1.0).astype(float) for path in (folder / "clip-faces.mp4", video))
    return float(np.abs(one - other).mean())


@pytest.mark.slow
@pytest.mark.usefixtures("recognizer")
def test_the_annotated_video_is_drawn_anew_as_the_notes_say(
    video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = job_of(video, tmp_path)
    do(folder)
    seen, marked = kept(folder), difference(folder, video)
    keep_notes(folder, lambda notes: notes.marked(1.0, "now").with_correction(3, 1, "anger"))
    assert is_drawn_as_noted(folder)
    keep_notes(folder, lambda notes: notes.with_hidden(1))
    assert not is_drawn_as_noted(folder)
    stop = Asked()
    stop.asked = True
    assert drawn_anew(folder, stop).state == FINISHED
    assert not is_drawn_as_noted(folder) and difference(folder, video) == pytest.approx(marked)
    assert drawn_anew(folder).state == FINISHED
    assert is_drawn_as_noted(folder) and frames_of(folder) == 60 and difference(folder, video) < marked / 3
    request = view(folder, KIND).request
    assert request and not request.draws_only
    assert kept(folder).rows.tobytes() == seen.rows.tobytes()
    keep_notes(folder, lambda notes: notes.with_hidden(1, False))
    with monkeypatch.context() as patched:
        patched.setattr(video_job, "_turn", Mock(side_effect=KeyboardInterrupt))  # canceled while it waits
        assert drawn_anew(folder).state == FINISHED and not is_drawn_as_noted(folder)
    write_timeline(folder / TIMELINE_NAME, replace(seen, complete=False, ends=1.0))
    assert drawn_anew(folder).state == STOPPED and frames_of(folder) == 30


@pytest.mark.slow
@pytest.mark.usefixtures("recognizer")
def test_what_somebody_has_said_outlives_a_second_run(video: Path, tmp_path: Path) -> None:
    folder, own = job_of(video, tmp_path), Baseline((0.0, 0.1, 0.0), SECONDS, 0.0, 2.0, 60)
    do(folder)
    seen = kept(folder)
    keep_notes(folder, lambda notes: notes.named(1, "Ada").marked(1.0, "now").with_correction(3, 1, "anger"))
    keep_notes(folder, lambda notes: notes.with_neutral(seen, 1, own))
    (folder / STATUS_NAME).unlink()
    assert do(folder).state == FINISHED
    told = read_notes(folder).applied(kept(folder))
    assert (told.names, told.baselines, len(told.markers), len(told.corrected)) == ({1: "Ada"}, {1: own}, 1, 1)
    assert not is_drawn_as_noted(folder)


@pytest.mark.usefixtures("recognizer")
def test_a_failing_disk_keeps_the_figures(video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Mp4Writer, image: Image, seconds: float) -> None:
        if self.frames == 20:
            raise VideoError("no space left")
        self.frames += 1

    monkeypatch.setattr(Mp4Writer, "write", full)
    folder = job_of(video, tmp_path)
    seen = do(folder)
    assert (seen.state, seen.message) == (FAILED, "no space left")
    assert not (folder / "clip-faces.mp4").exists() and kept(folder).frames >= 20


@pytest.mark.slow
def test_only_a_few_run_at_once(video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recognizer = use(Gated(), monkeypatch)
    folders = [job_of(video, tmp_path) for _ in range(video_job.AT_ONCE + 1)]
    workers = [threading.Thread(target=do, args=(folder,)) for folder in folders]
    for worker in workers[:-1]:
        worker.start()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while any(view(folder, KIND).status.what not in (LOOKING, LOADING) for folder in folders[:-1]):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    workers[-1].start()
    while view(folders[-1], KIND).status.what != WAITING:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert view(folders[-1], KIND).state == RUNNING
    for _ in range(1000):
        recognizer.gate.release()
    for worker, folder in zip(workers, folders, strict=True):
        worker.join(PATIENCE_SECONDS)
        assert view(folder, KIND).state == FINISHED and kept(folder).complete


def test_an_earlier_timeline_is_kept_until_the_new_one_is_as_long(
    video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video_job, "_KEEP_SECONDS", 0.0)
    folder, written = job_of(video, tmp_path), list[int]()
    use(PatchRecognizer(), monkeypatch)
    do(folder)
    write_timeline(folder / TIMELINE_NAME, replace(kept(folder), complete=False, frames=40))
    (folder / STATUS_NAME).unlink()

    def write(path: Path, seen: Timeline, durable: bool) -> None:
        written.append(seen.frames)

    monkeypatch.setattr(video_job, "write_timeline", write)
    do(folder)
    assert min(written) >= 40 and max(written) == 60


@pytest.mark.usefixtures("recognizer")
def test_two_jobs_can_share_an_upload(video: Path, tmp_path: Path) -> None:
    request = VideoRequest(upload_path("a.mkv"), Path("model"), ClipOptions())
    folder = new_job(tmp_path / "videos", request)
    keep_upload(folder, request, memoryview(video.read_bytes()))
    other = job_anew(folder, request)
    shutil.rmtree(folder)
    assert (other / request.path).read_bytes() == video.read_bytes() and not is_begun(other)
