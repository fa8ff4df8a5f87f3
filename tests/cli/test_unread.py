"""If the reader of a command's output quits early, there is no traceback, and the exit code is that of a shell."""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer.cli import evaluate, jobs, live, predict, train
from fer.cli.command import STOPPED_CODE, UNREAD_CODE, tells_errors
from fer.errors import VideoError
from tests.scripts.processes import PATIENCE_SECONDS, ROOT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pipes break in another way there")
PROGRAM = """
import sys
from fer.cli import evaluate, jobs, predict
from fer.cli.command import tells_errors

@tells_errors
def main():
    {body}
    return 3

sys.exit(main())
"""


def unread(*command: str | Path, err: bool = False, unbuffered: str = "") -> tuple[int, str]:
    """Run Python with nobody reading standard output, or neither output nor errors; return code and errors."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": unbuffered},
        stdout=writing,
        stderr=writing if err else subprocess.PIPE,
        encoding="utf-8",
        timeout=PATIENCE_SECONDS,
    )
    os.close(writing)
    return done.returncode, done.stderr or ""


@pytest.mark.slow
@pytest.mark.parametrize("err", [False, True])
@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("print('a line')", 3),
        ("print('\\n' * 1_000_000)", UNREAD_CODE),
        ("print('a line', flush=True)", UNREAD_CODE),
        ("print('a line'); raise KeyboardInterrupt", STOPPED_CODE),
        ("print('a line'); raise FileNotFoundError", 1),
        ("print('a line'); sys.exit(4)", 4),
    ],
)
def test_unread_output_is_no_error(body: str, code: int, err: bool) -> None:
    ended, told = unread("-c", PROGRAM.format(body=body), err=err)
    assert ended == code
    assert "Broken" not in told and "Traceback" not in told and "Exception" not in told
    assert unread("-c", PROGRAM.format(body=body), err=err, unbuffered="1") == (UNREAD_CODE, "")


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        ["--help"],
        ["predict", "--help"],
        ["jobs", "list", "runs"],
        ["predict", "--image", "no-such.jpg"],
        ["train", "--dataset", "no-such"],
    ],
)
def test_all_commands_tolerate_unread_output(command: list[str], tmp_path: Path) -> None:
    for err in (False, True):
        code, told = unread("-m", "fer", "--home", tmp_path, *command, err=err)
        assert code in (0, 1, UNREAD_CODE)
        assert "Broken" not in told and "Traceback" not in told


@pytest.mark.slow
def test_files_are_complete_even_if_nobody_reads_the_table(tmp_path: Path, tiny_checkpoint: Path) -> None:
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.zeros((32, 32, 3), np.uint8))
    table = tmp_path / "faces.csv"
    command = ("predict", "--image", tmp_path, "--checkpoint", tiny_checkpoint, "--csv", table)
    code, told = unread("-m", "fer", *command, unbuffered="1")
    assert code == UNREAD_CODE
    assert "Broken" not in told and "Traceback" not in told
    assert table.read_text(encoding="utf-8").startswith("path,face,")


def test_another_broken_pipe_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    @tells_errors
    def command() -> int:
        raise BrokenPipeError(32, "Broken pipe", "a worker")

    assert command() == 1
    assert "a worker" in capsys.readouterr().err


@pytest.mark.parametrize("error", [VideoError, OSError, ConnectionRefusedError])
def test_no_command_reveals_a_password(error: type[Exception], capsys: pytest.CaptureFixture[str]) -> None:
    @tells_errors
    def command() -> int:
        raise error("nothing at rtsp://me:hunter2@host/live")

    assert command() == 1
    assert "host/live" in (err := capsys.readouterr().err) and "hunter2" not in err


@pytest.mark.parametrize("path", ["missing", "folder", "file/below", "x" * 300, "circle"])
def test_no_file_ends_in_a_traceback(path: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    place = tmp_path / path
    video = Path(f"{place}.mp4")
    if path == "circle":
        video.symlink_to(video)
    for command in (
        partial(predict.main, ["--image", str(place)]),
        partial(predict.main, ["--image", "x.jpg", "--checkpoint", str(place)]),
        partial(predict.main, ["--image", str(place), "--output", str(tmp_path / "annotated")]),
        partial(predict.main, ["--video", str(place)]),
        partial(predict.main, ["--video", str(place), "--output", str(video)]),
        partial(live.main, ["--source", str(video), "--output", str(tmp_path / "out.mp4")]),
        partial(train.main, ["--dataset", str(place)]),
        partial(train.main, ["--dataset", str(place), "--dataset", str(place)]),
        partial(evaluate.main, ["--report", str(place)]),
        partial(evaluate.main, ["--dataset", str(place)]),
        partial(jobs.main, ["resume", str(place)]),
    ):
        assert command() == 1
        assert "error: " in capsys.readouterr().err


@pytest.mark.parametrize(("name", "code"), [("circle", 1), ("circle.png", 0), ("x" * 300, 1)])
def test_no_output_ends_in_a_traceback(
    name: str, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str], tiny_checkpoint: Path
) -> None:
    place, photo = tmp_path / name, tmp_path / "photo.png"
    cv2.imwrite(str(photo), np.zeros((32, 32, 3), np.uint8))
    if len(name) < 300:
        place.symlink_to(place)
    command = ["--image", str(photo), "--checkpoint", str(tiny_checkpoint), "--output", str(place)]
    assert predict.main(command) == code
    assert ("error: " in capsys.readouterr().err) == (code == 1)


@pytest.mark.parametrize("option", ["--csv", "--explain", "--results"])
def test_unwritable_files_are_reported(
    option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], astronaut: np.ndarray
) -> None:
    cv2.imwrite(str(tmp_path / "photo.png"), astronaut[:256, 100:356, ::-1])
    (tmp_path / "file").touch()
    place = tmp_path / "file" / "out.html"
    assert predict.main(["--image", str(tmp_path / "photo.png"), option, str(place)]) == 1
    err = capsys.readouterr().err
    assert "error: " in err and "file" in err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_behind_the_output_is_reported() -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM.format(body="print('a line')")],
            cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("error: ") and "Traceback" not in done.stderr
