"""predict.py on a folder: killed and run again, it ends as if nothing had happened."""

import csv
import io
import signal
from pathlib import Path

import numpy as np
import pytest

from fer.cli import predict
from tests.scripts.processes import end_of, run_script, start, wait_while_alive

COMMAND = ["scripts/predict.py", "--workers", "1"]


def table(path: Path) -> tuple[list[list[str]], np.ndarray]:
    """Return the words and the numbers of a table."""
    rows = list(csv.reader(io.StringIO(path.read_bytes().decode())))
    words = [[row[0], row[1], row[7], *row[-3:]] for row in rows]
    return words, np.array([[float(value) for value in [*row[2:7], *row[8:-3]]] for row in rows[1:]])


@pytest.mark.slow
@pytest.mark.parametrize("ending", [getattr(signal, "SIGKILL", signal.SIGTERM), signal.SIGINT])
def test_the_same_command_resumes(tmp_path: Path, many_photos: Path, tiny_checkpoint: Path, ending: int) -> None:
    common = ["--image", str(many_photos), "--checkpoint", str(tiny_checkpoint)]
    wanted = [*common, "--csv", "broken/faces.csv", "--output", "broken/annotated"]
    process = start(tmp_path, *COMMAND, *wanted)
    results = tmp_path / "broken" / ".faces.csv.results"
    wait_while_alive(process, lambda: results.is_file() and len(results.read_bytes().splitlines()) >= 3)
    process.send_signal(ending)
    ended = end_of(process)
    if ending == signal.SIGINT:
        assert ended.code == 130 and ended.err
    assert not (tmp_path / "broken" / "faces.csv").exists()
    known = len(results.read_bytes().splitlines()) - 1
    assert 2 <= known < 26
    copies = {path: path.stat().st_mtime_ns for path in (tmp_path / "broken" / "annotated").glob("*.png")}

    ended = run_script(tmp_path, *COMMAND, *wanted)
    assert ended.code == 1 and ended.err.count("broken.jpg") == 1
    assert not results.exists()
    run_script(tmp_path, *COMMAND, *common, "--csv", "unbroken/faces.csv", "--output", "unbroken/annotated")
    (words, numbers), (expected_words, expected) = (table(tmp_path / n / "faces.csv") for n in ("broken", "unbroken"))
    assert words == expected_words and len(words) == 25
    np.testing.assert_allclose(numbers, expected, atol=1e-5)
    first, second = (sorted(p.name for p in (tmp_path / n / "annotated").iterdir()) for n in ("broken", "unbroken"))
    assert first == second and len(first) == 25
    kept = [path for path, changed in copies.items() if path.stat().st_mtime_ns == changed]
    assert len(kept) >= known - 1  # finished pictures were not repeated, except the broken file


def test_a_results_file_is_kept_and_extended(
    tmp_path: Path, many_photos: Path, tiny_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos = sorted(many_photos.glob("*.jpg"))[:5]
    options = ["--results", str(tmp_path / "all.jsonl"), "--checkpoint", str(tiny_checkpoint)]
    assert predict.main(["--image", *map(str, photos[:3]), *options]) == 0
    first = capsys.readouterr().out
    lines = (tmp_path / "all.jsonl").read_bytes().splitlines()
    assert predict.main(["--image", *map(str, photos), *options]) == 0
    second = capsys.readouterr().out
    assert second.startswith(first.rstrip("\n"))
    assert (tmp_path / "all.jsonl").read_bytes().splitlines()[:4] == lines
    assert len((tmp_path / "all.jsonl").read_bytes().splitlines()) == 6
    assert predict.main(["--image", *map(str, photos), *options]) == 0
    assert capsys.readouterr().out == second


def test_a_folder_with_no_picture_and_another_file_of_results(
    tmp_path: Path, many_photos: Path, tiny_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--checkpoint", str(tiny_checkpoint)]
    (tmp_path / "empty").mkdir()
    assert predict.main(["--image", str(tmp_path / "empty"), *options]) == 1
    assert str(tmp_path / "empty") in capsys.readouterr().err
    notes = many_photos / "notes.txt"
    assert predict.main(["--image", str(many_photos), "--results", str(notes), *options]) == 1
    assert str(notes) in capsys.readouterr().err and notes.read_text() == "not meant"
