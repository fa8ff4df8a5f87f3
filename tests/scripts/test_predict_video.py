"""`predict.py --video`: what it prints and writes."""

import csv
import json
import re
import signal
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from fer.cli import predict
from fer.datasets.drawing.clip import write_clip
from tests.scripts.processes import end_of, start, wait_while_alive
from tests.video.io.cases import as_pngs, case, encoded

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory, astronaut: np.ndarray) -> Path:
    """Two seconds of the astronaut, with a tone."""
    small = np.ascontiguousarray(astronaut[:240, 80:400])
    return write_clip(tmp_path_factory.mktemp("clip") / "a.mp4", (small for _ in range(60)))


@pytest.fixture
def command(tiny_checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs the command in this process: exit code, standard output, standard error."""

    def run(*options: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        code = predict.main(["--checkpoint", str(tiny_checkpoint), *map(str, options)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.mark.slow
def test_everything_is_written(clip: Path, command: Command, tmp_path: Path) -> None:
    video, table, subtitles = tmp_path / "faces.mp4", tmp_path / "new" / "faces.csv", tmp_path / "faces.vtt"
    code, out, err = command("--video", clip, "--output", video, "--csv", table, "--subtitles", subtitles)
    assert (code, err) == (0, "".join(f"written to {path}\n" for path in (video, table, subtitles)))
    assert re.search(r"a\.mp4: 60 \D*2\.0 s\D*1 ", out)
    with av.open(str(video)) as container:
        assert [stream.codec_context.name for stream in container.streams] == ["h264", "aac"]
        assert sum(1 for _ in container.decode(video=0)) == 60
    assert len(list(csv.DictReader(table.read_text().splitlines()))) == 60
    assert subtitles.read_text().startswith("WEBVTT\n\n00:00:00.000 -->")


def test_json_and_the_requested_part(clip: Path, command: Command) -> None:
    code, out, _ = command("--video", clip, "--json", "--from", "0:01", "--to", "1.5", "--every", "5")
    record = json.loads(out)
    assert code == 0 and record["complete"] and len(record["people"]) == 1
    assert record["rows"]["frame"] == [30, 35, 40]
    assert record["to_seconds"] == 1.5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--subtitles", "a.txt"], ".vtt"),
        (["--output", "a.avi"], ".mp4"),
        (["--from", "5", "--to", "3"], "error: "),
        (["--csv", "."], "folder ."),
    ],
)
def test_invalid_options_are_reported_at_once(clip: Path, command: Command, options: list[str], message: str) -> None:
    code, _, err = command("--video", clip, *options)
    assert code == 1 and message in err


def test_the_video_itself_is_not_overwritten(clip: Path, command: Command) -> None:
    before = clip.read_bytes()
    assert command("--video", clip, "--output", clip)[0] == 1
    assert clip.read_bytes() == before


def test_a_truncated_file_gives_its_part_and_code_1(command: Command, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    path = write_clip(
        tmp_path / "a.mkv", (random.integers(0, 255, (64, 96, 3), np.uint8) for _ in range(60)), sound=False
    )
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    code, out, err = command("--video", path)
    assert code == 1 and path.name in out and path.name in err


@pytest.mark.slow
def test_ctrl_c_keeps_the_timeline_so_far(
    clip: Path, tiny_checkpoint: Path, tmp_path: Path, astronaut: np.ndarray
) -> None:
    small = np.ascontiguousarray(astronaut[:240, 80:400])
    long = write_clip(tmp_path / "long.mp4", (small for _ in range(3000)))
    output, table = tmp_path / "faces.mp4", tmp_path / "faces.csv"
    options = ["--checkpoint", tiny_checkpoint, "--video", long, "--output", output, "--csv", table]
    process = start(tmp_path, "scripts/predict.py", *options)
    part = tmp_path / "faces.mp4.part"
    wait_while_alive(process, lambda: part.exists() and part.stat().st_size > 20_000)
    process.send_signal(signal.SIGINT)
    ended = end_of(process)
    assert ended.code == 130 and ended.err and long.name in ended.out
    with av.open(str(output)) as container:
        frames = sum(1 for _ in container.decode(video=0))
    assert 0 < frames < 3000
    assert len(list(csv.DictReader(table.read_text().splitlines()))) == frames


def test_options_of_pictures_are_refused(clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for given, said in (
        (["--video", str(clip), "--explain", "why.html"], "--explain requires --image"),
        (["--video", str(clip), "--engine", "ray"], "--engine requires --image"),
        (["--image", str(clip), "--from", "3"], "--from requires --video"),
        (["--image", str(clip), "--per-second", "3"], "--per-second requires --video"),
    ):
        with pytest.raises(SystemExit):
            predict.main(given)
        assert said in capsys.readouterr().err


def test_a_start_after_the_end_is_refused(clip: Path, command: Command) -> None:
    code, _, err = command("--video", clip, "--from", "1:00")
    assert code == 1 and "--from" in err


@pytest.mark.slow
@pytest.mark.parametrize("name", ["seg1.mkv", "segw1.webm", "late.mkv", "late.ts"])
def test_a_file_that_starts_late_is_whole_and_counts_from_its_start(
    name: str, command: Command, tmp_path: Path, astronaut: np.ndarray
) -> None:
    if name.startswith("seg"):
        path, seconds, rate = case(name), 3.0, 29.97
    else:
        images = [astronaut[20:260, 100:420]] * 20
        path = encoded(tmp_path / name, images, [7 + number / 10 for number in range(20)])
        seconds, rate = 2.0, 10.0
    subtitles, written = tmp_path / "a.srt", tmp_path / "a.mp4"
    options = ("--json", "--from", "1", "--every", "5", "--subtitles", subtitles, "--output", written)
    code, out, err = command("--video", path, *options)
    record = json.loads(out)
    assert code == 0 and "error" not in err and record["problem"] == ""
    assert (record["from_seconds"], record["to_seconds"]) == (
        pytest.approx(1, abs=0.04),
        pytest.approx(seconds, abs=0.04),
    )
    assert record["rows"]["frame"][0] == pytest.approx(rate, abs=1)
    assert subtitles.read_text().startswith("1\n00:00:00,000 -->")
    with av.open(str(written)) as container:
        times = [frame.time for frame in container.decode(video=0)]
    assert times[0] == 0 and times[-1] == pytest.approx(seconds - 1 - 1 / rate, abs=0.04)
    assert command("--video", path, "--from", "3.5")[0] == 1, "behind its end"


@pytest.mark.slow
def test_a_changing_size_is_reported_and_no_error(command: Command, tmp_path: Path, astronaut: np.ndarray) -> None:
    parts = [astronaut[20:260, 100:420], astronaut[0:400, 60:460], astronaut[20:260, 160:340]]
    path = as_pngs(tmp_path / "a.avi", [parts[0]] * 6 + [parts[1]] * 6 + [parts[2]] * 6)
    code, out, err = command("--video", path, "--json", "--output", tmp_path / "a.mp4")
    record = json.loads(out)
    assert code == 0 and record["problem"] == "" and record["size"] == [320, 240]
    assert "400 × 400" in err and "320 × 240" in err
    boxes = np.array(record["rows"]["box"])
    assert len(boxes) == 18, "seen in each picture"
    assert (boxes[:, :2] >= -1).all() and (boxes[:, 2:] <= (321, 241)).all()
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert {(frame.width, frame.height) for frame in container.decode(video=0)} == {(320, 240)}
