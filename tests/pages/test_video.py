"""The video page, without a browser."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from fer.datasets.drawing.clip import write_clip
from fer.recognition.detector import FaceDetector
from fer.video.clip_job import ClipJob
from fer.video.io.mp4 import Mp4Writer

ENTRY = str(Path(__file__).parents[2] / "streamlit_app.py")


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch, tiny_checkpoint: Path) -> AppTest:
    monkeypatch.setenv("FER_CHECKPOINT", str(tiny_checkpoint))
    return shown(AppTest.from_file(ENTRY, default_timeout=120).run().switch_page("pages/video.py"))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory, astronaut: np.ndarray) -> Path:
    """One second of the astronaut, with a tone."""
    small = np.ascontiguousarray(astronaut[:240, 80:400])
    return write_clip(tmp_path_factory.mktemp("clip") / "astronaut.mp4", (small for _ in range(30)))


def shown(app: AppTest) -> AppTest:
    app.run()
    assert not app.exception
    return app


def press(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label == label).click()
    return shown(app)


def upload(app: AppTest, path: Path, name: str = "astronaut.mp4") -> AppTest:
    app.file_uploader[0].set_value((name, path.read_bytes(), "video/mp4"))
    return shown(app)


def finished(app: AppTest) -> ClipJob:
    job: ClipJob = app.session_state["video_job"]
    assert job.wait(120)
    shown(app)
    return job


def text(app: AppTest) -> str:
    return "\n".join(element.value for kind in (app.subheader, app.markdown, app.caption) for element in kind)


def test_from_an_upload_to_the_downloads_and_back(app: AppTest, clip: Path) -> None:
    upload(app, clip)
    assert "320 × 240 pixels · 30 frames a second" in text(app)
    press(app, "Analyse")
    job = finished(app)
    assert job.result is not None and job.result.people == [1] and len(job.result.frame_seconds) == 30
    assert "30 frames looked at · 1 person" in text(app)
    assert "**Key moments**" in text(app)
    assert "Not measured but computed" in text(app)
    assert len(app.get("download_button")) == 5
    assert len(app.get("plotly_chart")) == 4
    folder, copy = job.video.parent, app.session_state["video_chosen"].path
    assert folder.is_dir() and copy.is_file()
    press(app, "Another video")
    assert "video_job" not in app.session_state and app.file_uploader
    assert not copy.exists() and not folder.exists()


def test_options_reach_the_analysis_and_another_try_keeps_the_video(app: AppTest, clip: Path) -> None:
    upload(app, clip)
    next(box for box in app.selectbox if box.label == "Look at").set_value("every 5th frame")
    shown(app)
    press(app, "Analyse")
    job = finished(app)
    assert job.result is not None and job.result.frame_numbers.tolist() == [0, 5, 10, 15, 20, 25]
    press(app, "Analyse it again")
    assert any(button.label == "Analyse" for button in app.button)


def test_while_it_runs_it_says_so_and_cancelling_keeps_the_part(
    app: AppTest, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, detect = threading.Semaphore(2), FaceDetector.detect

    def gated(self: FaceDetector, *given: Any) -> Any:
        assert gate.acquire(timeout=120)
        return detect(self, *given)

    monkeypatch.setattr(FaceDetector, "detect", gated)
    upload(app, clip)
    press(app, "Analyse")
    job: ClipJob = app.session_state["video_job"]
    while job.progress().video_seconds < 0.6:
        assert not job.wait(0.05)
    shown(app)
    assert "It goes on while you look at other pages." in text(app)
    app.switch_page("pages/home.py")
    shown(app)
    app.switch_page("pages/video.py")
    shown(app)
    assert app.session_state["video_job"] is job
    threading.Timer(0.2, gate.release).start()
    press(app, "Cancel")
    finished(app)
    assert job.result is not None and 0 < len(job.result.frame_seconds) < 30
    assert "the part up to where it was ended" in app.info[0].value


def test_what_is_no_video_is_said_without_naming_folders(app: AppTest, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_text("no video")
    upload(app, path, "../we ird<b>.mp4")
    assert "expected a video" in app.error[0].value and "fer-upload" not in app.error[0].value
    assert app.file_uploader


def test_a_video_without_faces_says_so(app: AppTest, tmp_path: Path) -> None:
    upload(app, write_clip(tmp_path / "a.mp4", (np.full((120, 160, 3), 99, np.uint8) for _ in range(5))))
    press(app, "Analyse")
    finished(app)
    assert "No face was found." in [info.value for info in app.info]
    assert len(app.get("download_button")) == 5


def test_a_truncated_video_shows_what_could_be_read(app: AppTest, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    random = np.random.default_rng(0)
    with Mp4Writer(path) as writer:
        for number in range(30):
            writer.write(random.integers(0, 255, (64, 96, 3), np.uint8), number / 30)
    path.write_bytes(path.read_bytes()[: int(0.6 * path.stat().st_size)])
    upload(app, path)
    press(app, "Analyse")
    finished(app)
    assert "of 30 frames could be read" in app.warning[0].value


def test_a_path_of_this_machine_is_for_those_who_sit_at_it(
    app: AppTest, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FER_ALLOW_TRAINING", "0")
    shown(app)
    assert "On this machine" not in app.segmented_control[0].options
    monkeypatch.setenv("FER_ALLOW_TRAINING", "1")
    shown(app)
    app.segmented_control[0].set_value("On this machine")
    shown(app)
    app.text_input[0].set_value(str(clip))
    shown(app)
    press(app, "Open")
    assert app.session_state["video_chosen"].path == clip
    press(app, "Remove")
    assert clip.is_file()
