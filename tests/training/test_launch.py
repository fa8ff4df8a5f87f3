"""Runs as processes: real ones, tiny."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fer.errors import TrainingError
from fer.training import launch
from fer.training.config import TrainingConfig
from fer.training.launch import RunView
from fer.training.runs import FINISHED, RUNNING, STOPPED, Run, open_run

SHORT = TrainingConfig("synthetic:80", epochs=2, size_px=24, progressive=False)
LONG = TrainingConfig("synthetic:80", epochs=2000, size_px=24, progressive=False)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "runs"
    for seen in launch.runs(tmp_path / "runs"):
        launch.stop(seen.run)


def wait_until(run: Run, condition: Callable[[RunView], bool], seconds: float = 90) -> RunView:
    until = time.monotonic() + seconds
    while not condition(seen := launch.view(run)):
        assert time.monotonic() < until, f"{seen.state} {seen.message}\n{launch.log_tail(run)}"
        time.sleep(0.1)
    return seen


def test_from_start_to_the_end(folder: Path) -> None:
    run = launch.start(folder, SHORT, "faces 1", threads=1)
    assert launch.view(run).active
    assert [seen.name for seen in launch.runs(folder)] == ["faces 1"]
    seen = wait_until(run, lambda seen: not seen.active)
    assert seen.state == FINISHED, launch.log_tail(run)
    assert seen.has_model and not seen.can_resume
    assert [line["epoch"] for line in seen.metrics] == [1, 2]
    assert seen.best in seen.metrics
    log = launch.log_tail(run)
    assert log.count("epoch 2/2") == 1
    with pytest.raises(TrainingError, match="faces 1 is finished"):
        launch.resume(run)

    with pytest.raises(TrainingError, match="there is a run called faces 1"):
        launch.start(folder, LONG, "faces 1")
    renamed = launch.rename(run, "faces-2")
    assert launch.view(renamed).metrics == seen.metrics
    assert [seen.name for seen in launch.runs(folder)] == ["faces-2"]
    launch.delete(renamed)
    assert launch.runs(folder) == []
    assert list(folder.iterdir()) == []


def test_one_at_a_time_and_nothing_happens_to_a_run_that_goes_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = launch.start(folder, LONG, "long", threads=1)
    with pytest.raises(TrainingError, match="long is being trained, and 1 at a time"):
        launch.start(folder, SHORT, "second")
    assert not (folder / "second").exists()
    with pytest.raises(TrainingError, match="long is being trained"):
        launch.delete(run)
    with pytest.raises(TrainingError, match="long is being trained"):
        launch.rename(run, "other")
    with pytest.raises(TrainingError, match="expected a run that was stopped"):
        launch.resume(run)

    wait_until(run, lambda seen: seen.run.last_path.exists() and len(seen.metrics) >= 1)
    os.kill(json.loads((run.folder / "process.json").read_text())["pid"], signal.SIGKILL)
    seen = wait_until(run, lambda seen: not seen.active)
    assert seen.state == launch.INTERRUPTED and seen.can_resume
    epochs = len(seen.metrics)

    launch.resume(run, threads=1)
    assert launch.view(run).active
    wait_until(run, lambda seen: len(seen.metrics) > epochs)
    launch.stop(run)
    seen = launch.view(run)
    assert seen.state == STOPPED and seen.can_resume and len(seen.metrics) > epochs
    assert "going on after epoch" in run.log_path.read_text()
    launch.stop(run)  # once more does no harm

    monkeypatch.setenv(launch.PARALLEL_VARIABLE, "2")
    launch.resume(run, threads=1)
    second = launch.start(folder, LONG, "second", threads=1)
    assert launch.view(run).active and launch.view(second).active
    launch.stop(run)  # before it could say a word
    launch.stop(second)
    assert launch.view(run).state == STOPPED and launch.view(second).state == STOPPED


def test_what_cannot_be_trained_says_why(folder: Path, tmp_path: Path) -> None:
    run = launch.start(folder, TrainingConfig(str(tmp_path / "nowhere")), "nothing")
    seen = wait_until(run, lambda seen: not seen.active)
    assert seen.state == "failed"
    assert "found nothing" in seen.message
    assert seen.can_resume  # the data set may come back


def test_a_number_that_another_process_has_now_is_no_run(folder: Path) -> None:
    run = open_run(folder, LONG, "old")
    run.set_status(RUNNING, epoch=1, epochs=LONG.epochs)
    assert launch.view(run).state == launch.INTERRUPTED  # nobody knows its process
    (run.folder / "process.json").write_text(json.dumps({"pid": os.getpid(), "began": "before the last restart"}))
    assert launch.view(run).state == launch.INTERRUPTED
    launch.stop(run)  # and this test goes on
    assert launch.view(run).state == launch.INTERRUPTED


def test_a_damaged_run_is_shown_and_can_be_deleted(folder: Path) -> None:
    run = open_run(folder, SHORT, "broken")
    run.status_path.write_text("{")
    assert launch.view(run).state == launch.DAMAGED
    run.config_path.write_text("{}")
    (seen,) = launch.runs(folder)
    assert seen.state == launch.DAMAGED and "configuration" in seen.message
    assert not seen.can_resume
    launch.delete(run)
    assert launch.runs(folder) == []


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "../a", "/a", ".hidden", "-x", "a\0", "a\n", "a ", "a.", "x" * 65]
)
def test_a_name_cannot_be_a_path(folder: Path, name: str) -> None:
    with pytest.raises(TrainingError, match="expected a name"):
        launch.start(folder, SHORT, name)
    run = open_run(folder, SHORT, "plain")
    with pytest.raises(TrainingError, match="expected a name"):
        launch.rename(run, name)
    assert [entry.name for entry in folder.iterdir()] == ["plain"]


def test_a_name_that_is_taken_is_refused(folder: Path) -> None:
    run, other = open_run(folder, SHORT, "a"), open_run(folder, SHORT, "b")
    with pytest.raises(TrainingError, match="there is a run called b"):
        launch.rename(run, "b")
    assert run.config_path.exists() and other.config_path.exists()


def test_a_link_is_not_followed_when_deleting(folder: Path, tmp_path: Path) -> None:
    elsewhere = open_run(tmp_path, SHORT, "elsewhere")
    folder.mkdir()
    (folder / "link").symlink_to(elsewhere.folder)
    with pytest.raises(TrainingError, match="cannot be deleted"):
        launch.delete(Run(folder / "link"))
    assert elsewhere.config_path.exists()


def test_the_number_of_runs_must_be_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(launch.PARALLEL_VARIABLE, "many")
    with pytest.raises(TrainingError, match="FER_PARALLEL_RUNS"):
        launch.parallel_runs()
    monkeypatch.delenv(launch.PARALLEL_VARIABLE)
    assert launch.parallel_runs() == 1


def test_the_log_has_an_end(tmp_path: Path) -> None:
    run = Run(tmp_path)
    assert launch.log_tail(run) == ""
    run.log_path.write_text("".join(f"line {number}\n" for number in range(10_000)))
    assert launch.log_tail(run, 2) == "line 9998\nline 9999"
