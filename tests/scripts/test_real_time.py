"""The command that follows faces of cameras, files and streams."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt
import pytest

from fer.cli import live as real_time_detection
from fer.cli.window import VideoWindow
from fer.errors import VideoError
from fer.faces import NOT_HUMAN
from fer.video.io import live
from fer.video.io.mp4 import Mp4Writer
from tests.scripts.processes import PATIENCE_SECONDS, ROOT, start
from tests.video.io.servers import Camera

Image = npt.NDArray[np.uint8]


def moving(astronaut: Image, number: int) -> Image:
    """The astronaut, who moves a pixel to the left with each frame and back again."""
    left = 40 + abs(number % 120 - 60)
    return np.ascontiguousarray(astronaut[20:260, left : left + 320])


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory, astronaut: Image) -> Path:
    """A folder with clip.mp4, 2 s at 30 fps, and long.mp4, five times that."""
    folder = tmp_path_factory.mktemp("clips")
    for name, frames in (("clip.mp4", 60), ("long.mp4", 300)):
        with Mp4Writer(folder / name) as writer:
            for number in range(frames):
                writer.write(moving(astronaut, number), number / 30)
    return folder


Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(tiny_checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs the command in this process: exit code, standard output, standard error."""

    def run(*options: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        code = real_time_detection.main(["--checkpoint", str(tiny_checkpoint), *map(str, options)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def records(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def pictures(path: Path) -> list[Image]:
    with av.open(str(path)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


# Files


@pytest.mark.slow
def test_json_has_a_line_for_each_frame_and_one_person(clips: Path, command: Command) -> None:
    code, out, err = command("--source", clips / "clip.mp4", "--no-window", "--json")
    assert (code, err) == (0, "")
    lines = records(out)
    assert [line["frame"] for line in lines] == list(range(60))
    assert [line["seconds"] for line in lines] == pytest.approx([number / 30 for number in range(60)], abs=1e-4)
    faces = [face for line in lines for face in line["faces"]]
    assert len(faces) == 60
    assert {face["track_id"] for face in faces} == {1}
    for line in lines:
        (face,) = line["faces"]
        assert set(face) == {
            "box", "landmarks", "score", "score_again", "label", "confidence", "probabilities", "track_id", "concerns",
        }  # fmt: skip
        assert NOT_HUMAN not in face["concerns"]
        assert sum(face["probabilities"].values()) == pytest.approx(1)
    first, last = faces[0]["box"], faces[-1]["box"]
    assert last[0] - first[0] == pytest.approx(59, abs=8), "the picture's left edge went 59 pixels to the left"
    assert command("--source", clips / "clip.mp4", "--no-window", "--json")[1] == out, "another result each time"


@pytest.mark.slow
def test_the_output_is_a_video_with_the_same_frames(clips: Path, command: Command, tmp_path: Path) -> None:
    output = tmp_path / "faces.MP4"
    code, out, err = command("--source", clips / "clip.mp4", "--no-window", "--output", output)
    assert code == 0
    assert re.search(r"\b60 \D*2\.0 s\D*1 ", out) and "person 1: " in out
    assert f"written to {output}" in err
    before, after = pictures(clips / "clip.mp4"), pictures(output)
    assert len(after) == len(before) == 60
    assert after[0].shape == before[0].shape
    assert abs(after[30].astype(int) - before[30]).max() > 100, "nothing was drawn"
    assert np.median(abs(after[30].astype(int) - before[30])) < 5, "the picture is another"
    assert [path.name for path in tmp_path.iterdir()] == ["faces.MP4"]


def test_mirrored_on_request(clips: Path, command: Command, tmp_path: Path) -> None:
    options = ("--source", clips / "clip.mp4", "--no-window", "--seconds", "0.2")
    command(*options, "--mirror", "--output", tmp_path / "mirror.mp4")
    before, after = pictures(clips / "clip.mp4"), pictures(tmp_path / "mirror.mp4")
    assert np.median(abs(after[3].astype(int) - before[3][:, ::-1])) < 5


def test_it_ends_after_some_seconds(clips: Path, command: Command) -> None:
    code, out, _ = command("--source", clips / "long.mp4", "--no-window", "--json", "--seconds", "0.5")
    assert code == 0
    assert len(records(out)) == 15


@pytest.mark.slow
def test_a_truncated_video_is_processed_up_to_its_end(clips: Path, command: Command, tmp_path: Path) -> None:
    data = (clips / "long.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(data[: len(data) // 3])
    code, out, err = command("--source", tmp_path / "cut.mp4", "--no-window", "--json", "--output", tmp_path / "o.mp4")
    assert code == 1
    assert "error: " in err and "cut.mp4" in err and "of 300" in err
    assert 10 < len(records(out)) == len(pictures(tmp_path / "o.mp4")) < 150


def test_nobody_seen_is_no_error(command: Command, tmp_path: Path) -> None:
    with Mp4Writer(tmp_path / "gray.mp4") as writer:
        for number in range(3):
            writer.write(np.full((90, 120, 3), 128, np.uint8), number)
    code, out, err = command("--source", tmp_path / "gray.mp4", "--no-window")
    assert (code, err) == (0, "")
    assert re.search(r"\b3 \D*3\.0 s\D*$", out.strip())


# Errors


def test_errors_are_reported_before_the_model_is_loaded(clips: Path, tmp_path: Path) -> None:
    clip, out = str(clips / "clip.mp4"), tmp_path / "out.mp4"
    (tmp_path / "text.mp4").write_text("no video")
    (tmp_path / "copy.mp4").write_bytes((clips / "clip.mp4").read_bytes())
    program = (
        "import json, sys\n"
        "from fer.cli.live import main\n"
        "print([main(options) for options in json.loads(sys.argv[1])], 'torch' in sys.modules)"
    )
    tries = [
        (["--source", "99", "--no-window"], "99"),
        (["--source", str(tmp_path / "gone.mp4")], "gone.mp4"),
        (["--source", str(tmp_path / "text.mp4"), "--no-window"], "text.mp4"),
        (["--source", clip, "--output", str(tmp_path / "out.avi")], "out.avi"),
        (["--source", clip, "--output", str(tmp_path / "no" / "out.mp4")], str(tmp_path / "no")),
        (["--source", str(tmp_path / "copy.mp4"), "--output", str(tmp_path / "copy.mp4")], "copy.mp4"),
        (["--source", "rtsp://127.0.0.1:9/live", "--output", str(out)], "rtsp://"),
    ]
    done = subprocess.run(
        [sys.executable, "-c", program, json.dumps([options for options, _ in tries])],
        **{"cwd": ROOT, "capture_output": True, "encoding": "utf-8", "timeout": PATIENCE_SECONDS},
    )
    assert done.stdout.strip() == f"{[1] * len(tries)} False"
    messages = done.stderr.splitlines()
    assert len(messages) == len(tries), done.stderr
    for (_, expected), message in zip(tries, messages, strict=True):
        assert message.startswith("error: ") and expected in message
    assert not out.exists()


def test_a_wrong_model_or_device_is_an_error(clips: Path, command: Command, tmp_path: Path) -> None:
    options = ("--source", clips / "clip.mp4", "--no-window", "--output", tmp_path / "out.mp4")
    for others, fact in (
        (["--checkpoint", tmp_path / "gone.safetensors"], "gone.safetensors"),
        (["--device", "toaster"], "toaster"),
    ):
        code, out, err = command(*options, *others)
        assert (code, out) == (1, "") and err.startswith("error: ") and fact in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf", "ten"])
def test_impossible_seconds_are_refused(seconds: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        real_time_detection.main(["--seconds", seconds])
    assert left.value.code == 2
    assert "--seconds" in capsys.readouterr().err


@pytest.mark.parametrize("source", ["0", "rtsp://192.0.2.1/live"])
def test_a_camera_has_no_median_face(source: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        real_time_detection.main(["--source", source, "--own-neutral", "median"])
    assert "--own-neutral" in capsys.readouterr().err


def test_a_model_without_neutral_subtracts_nothing(clips: Path, command: Command) -> None:
    code, out, err = command("--source", clips / "clip.mp4", "--no-window", "--json", "--own-neutral", "median")
    assert (code, out) == (1, "") and "neutral" in err


def test_help_explains_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        real_time_detection.main(["--help"])
    assert left.value.code == 0
    assert "fer-studio live" in capsys.readouterr().out


# Stopping


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals that a process could answer")
def test_stopping_leaves_a_playable_video(clips: Path, tiny_checkpoint: Path, tmp_path: Path) -> None:
    options = ("--source", clips / "long.mp4", "--no-window", "--json", "--output", "out.mp4")
    process = start(tmp_path, "scripts/real_time_detection.py", "--checkpoint", tiny_checkpoint, *options)
    assert process.stdout
    first = process.stdout.readline()
    assert [path.name for path in tmp_path.iterdir()] in ([], ["out.mp4.part"])
    process.send_signal(signal.SIGINT)
    rest, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 130
    assert "out.mp4" in err and len(err.splitlines()) == 2
    seen = records(first + rest)
    assert 1 <= len(seen) < 300
    assert len(pictures(tmp_path / "out.mp4")) == len(seen)
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


@pytest.mark.skipif(sys.platform == "win32", reason="pipes break in another way there")
def test_the_reader_of_the_json_may_quit(
    clips: Path, command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        options = ("--source", clips / "long.mp4", "--no-window", "--json", "--output", tmp_path / "out.mp4")
        code, _, err = command(*options)
    assert code == 0 and err and not (tmp_path / "out.mp4").exists()


# Cameras


class FakeCamera:
    """Shows the astronaut for a while, thirty times per second, and is then disconnected."""

    photo: Image
    frames = 60

    def __init__(self, number: int) -> None:
        self.number = 0

    def isOpened(self) -> bool:
        return True

    def read(self) -> tuple[bool, Image | None]:
        time.sleep(1 / 30)
        self.number += 1
        bgr = np.ascontiguousarray(moving(self.photo, self.number)[:, :, ::-1])
        return (True, bgr) if self.number <= self.frames else (False, None)

    def release(self) -> None:
        pass


@pytest.fixture
def camera(monkeypatch: pytest.MonkeyPatch, astronaut: Image) -> type[FakeCamera]:
    monkeypatch.setattr(FakeCamera, "photo", astronaut, raising=False)
    monkeypatch.setattr(cv2, "VideoCapture", FakeCamera)
    return FakeCamera


@pytest.mark.slow
def test_a_camera_is_followed_and_mirrored(camera: type[FakeCamera], command: Command, tmp_path: Path) -> None:
    options = ("--source", "0", "--no-window", "--seconds", "1", "--output", tmp_path / "out.mp4")
    code, out, err = command(*options)
    assert code == 0, err
    assert re.search(r" s\D* 1 \D*$", out.splitlines()[0]), out
    after = pictures(tmp_path / "out.mp4")
    assert len(after) > 5
    left, right = after[0][:, :60].mean(), after[0][:, -60:].mean()
    before = moving(camera.photo, 5)
    assert (left > right) == (before[:, -60:].mean() > before[:, :60].mean())


@pytest.mark.slow
def test_a_camera_that_is_disconnected_ends_it(
    camera: type[FakeCamera], monkeypatch: pytest.MonkeyPatch, command: Command, tmp_path: Path
) -> None:
    monkeypatch.setattr(camera, "frames", 30)
    code, out, err = command("--source", "0", "--no-window", "--json", "--output", tmp_path / "out.mp4")
    assert code == 1
    assert "error: " in err and "camera 0" in err and str(tmp_path / "out.mp4") in err
    assert len(records(out)) == len(pictures(tmp_path / "out.mp4")) >= 1


# The window


def test_without_tk_alternatives_are_suggested(clips: Path, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tkinter", None)
    code, _, err = command("--source", clips / "clip.mp4")
    assert code == 1
    assert err.startswith("error: ") and "Tk" in err and "--no-window" in err


@pytest.mark.skipif(sys.platform != "linux", reason="only there displays are named")
def test_without_a_display_alternatives_are_suggested(
    clips: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("tkinter")
    monkeypatch.setenv("DISPLAY", ":4711")
    code, _, err = command("--source", clips / "clip.mp4")
    assert code == 1
    assert err.startswith("error: ") and ":4711" in err and "--no-window" in err


class FakeWindow:
    """Records when pictures are shown, by a clock that only runs while somebody waits; closed after some pictures."""

    shown: list[float]
    now = 0.0
    pictures = 1000

    def __init__(self, title: str, text: str) -> None:
        type(self).shown = []
        self.open = True

    def update(self) -> None:
        pass

    def wait(self, until: float) -> None:
        type(self).now = until

    def show(self, image: Image) -> None:
        self.shown.append(self.now)
        self.open = len(self.shown) < self.pictures

    def close(self) -> None:
        self.open = False


@pytest.fixture
def window(monkeypatch: pytest.MonkeyPatch) -> type[FakeWindow]:
    monkeypatch.setattr(real_time_detection, "VideoWindow", FakeWindow)
    monkeypatch.setattr(real_time_detection, "time", SimpleNamespace(monotonic=lambda: FakeWindow.now))
    return FakeWindow


@pytest.mark.slow
def test_a_window_plays_a_file_no_faster_than_real_time(
    clips: Path, command: Command, window: type[FakeWindow]
) -> None:
    code, out, _ = command("--source", clips / "clip.mp4", "--seconds", "1")
    assert code == 0
    assert "30 frames" in out
    assert len(window.shown) == 30
    assert np.diff(window.shown) == pytest.approx([1 / 30] * 29, abs=1e-3)


def test_closing_the_window_ends_it(
    clips: Path, command: Command, window: type[FakeWindow], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(window, "pictures", 5)
    code, out, _ = command("--source", clips / "clip.mp4", "--output", tmp_path / "out.mp4")
    assert code == 0
    assert f"{len(pictures(tmp_path / 'out.mp4'))} frames" in out
    assert len(window.shown) == 5


@pytest.mark.slow
def test_sigterm_ends_it_like_ctrl_c(
    clips: Path, command: Command, window: type[FakeWindow], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def show(self: FakeWindow, image: Image) -> None:
        self.shown.append(0)
        if len(self.shown) == 5:
            signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(window, "show", show)
    before = signal.getsignal(signal.SIGTERM)
    code, out, err = command("--source", clips / "clip.mp4", "--output", tmp_path / "out.mp4")
    assert code == 130
    assert 5 < len(pictures(tmp_path / "out.mp4")) < 60 and err.endswith("stopped\n")
    assert f"{len(pictures(tmp_path / 'out.mp4'))} frames" in out, "what was seen up to there is written"
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.fixture
def display(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A virtual display."""
    pytest.importorskip("tkinter")
    if not shutil.which("Xvfb"):
        pytest.skip("needs Xvfb, for a display that nobody sees")
    reading, writing = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", "800x600x24", "-nolisten", "tcp"],
        pass_fds=[writing],
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    with os.fdopen(reading) as pipe:
        name = f":{pipe.readline().strip()}"
    monkeypatch.setenv("DISPLAY", name)
    yield name
    server.terminate()
    server.wait()


def test_a_real_window_shows_pictures_until_a_key_is_pressed(display: str) -> None:
    for event, ends in (("<Escape>", True), ("<q>", True), ("<x>", False)):
        try:
            window = VideoWindow("test", "wait …")
        except VideoError as error:
            pytest.skip(f"the display does not work here: {error}")
        for size in (240, 240, 2000):
            window.show(np.full((size, size, 3), (200, 30, 60), np.uint8))
        assert window.open
        assert window._root.winfo_height() <= 600
        window._root.focus_force()
        window.update()
        window._root.event_generate(event)
        window.update()
        assert window.open == (not ends)
        window.wait(time.monotonic() + (3600 if ends else 0.05))  # a closed window does not wait
        window.close()


# Streams


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals are other ones there")
def test_ctrl_c_stops_a_stalled_stream_at_once(astronaut: Image, tiny_checkpoint: Path, tmp_path: Path) -> None:
    with Camera([moving(astronaut, number) for number in range(60)], "later") as camera:
        options = ("--source", camera.url, "--no-window", "--json", "--output", "out.mp4")
        command = ("scripts/real_time_detection.py", *options, "--checkpoint", tiny_checkpoint)
        process = start(tmp_path, *command)
        assert process.stdout
        first = process.stdout.readline()
        camera.enough.set()
        camera.sent.wait(PATIENCE_SECONDS)
        process.send_signal(signal.SIGINT)
        rest, err = process.communicate(timeout=PATIENCE_SECONDS)
        assert camera.connections == 1, "it did not wait until the stream was given up"
    assert (process.returncode, err) == (130, "written to out.mp4\nstopped\n")
    assert len(pictures(tmp_path / "out.mp4")) == len(records(first + rest))


@pytest.mark.slow
def test_a_lost_stream_is_reported_and_reopened(
    astronaut: Image, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "FIRST_PAUSE_SECONDS", 0.1)
    images = [moving(astronaut, number) for number in range(60)]
    with Camera(images, "close", "refuse", "whole") as camera:
        url = camera.url.replace("http://", "http://admin:hunter2@")
        code, out, err = command("--source", url, "--no-window", "--json", "--seconds", "4")
    assert code == 0
    lines = err.splitlines()
    assert len(lines) >= 2 and "0.1 s" in lines[0] and "0.2 s" in lines[1]
    assert "Immediate" not in err and "error:" not in err
    assert "hunter2" not in out + err
    assert records(out)


@pytest.mark.slow
def test_a_lost_stream_still_ends_on_time(astronaut: Image, command: Command) -> None:
    with Camera([moving(astronaut, number) for number in range(60)], "stall") as camera:
        code, out, err = command("--source", camera.url, "--no-window", "--json", "--seconds", "3")
        assert camera.connections == 1
    assert (code, err) == (0, "") and records(out)
