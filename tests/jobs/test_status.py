"""What a job reports about itself, and how others read it."""

import json
import os
from datetime import datetime
from pathlib import Path

import pytest

from fer.jobs.status import FAILED, FINISHED, LOG_NAME, RUNNING, STATUS_NAME, STOPPED, Reporter, Status, read_status


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_status_is_read_back_with_process_and_time(tmp_path: Path) -> None:
    reporter = Reporter(tmp_path)
    reporter.say("reading", 3, 12, {"faces_per_second": 12.5})
    reporter.set(FAILED, "why")
    status = read_status(tmp_path)
    assert status == reporter.status
    assert status and (status.state, status.message, status.what) == (FAILED, "why", "reading")
    assert (status.done, status.total, status.share) == (3, 12, 0.25)
    assert status.figures == {"faces_per_second": 12.5} and status.pid == os.getpid()
    assert datetime.fromisoformat(status.time).tzinfo is not None
    assert json.loads((tmp_path / STATUS_NAME).read_text())["faces_per_second"] == 12.5
    reporter.set(FINISHED, figures={"epoch": 3})
    assert read_status(tmp_path) == reporter.status and reporter.status.figures == {"epoch": 3}


def test_it_is_written_regularly_and_at_the_end(tmp_path: Path) -> None:
    clock = Clock()
    reporter = Reporter(tmp_path, clock=clock)
    written = []
    for done in range(1, 11):
        reporter.say("reading", done, 10)
        written.append(json.loads((tmp_path / STATUS_NAME).read_text())["done"])
        clock.now += 0.2
    assert written == [1, 1, 1, 4, 4, 4, 7, 7, 7, 10]


def test_the_remaining_time_is_estimated_from_this_process_alone(tmp_path: Path) -> None:
    clock = Clock()
    reporter = Reporter(tmp_path, clock=clock)
    reporter.say("reading", 50, 100)
    assert reporter.status.seconds_left is None
    clock.now += 10
    reporter.say("still reading", 60, 100)
    assert reporter.status.seconds_left == pytest.approx(40)
    reporter.say("measuring", 0, 30)  # the next step
    assert reporter.status.seconds_left is None
    clock.now += 1
    reporter.say("measuring", 10, 30)
    assert reporter.status.seconds_left == pytest.approx(2)
    reporter.set(FINISHED)
    assert reporter.status.seconds_left is None


def test_a_full_disk_does_not_stop_a_job_that_reports_progress(tmp_path: Path) -> None:
    reporter = Reporter(tmp_path / "gone")
    reporter.say("reading", 1, 2)
    reporter.note("something")
    with pytest.raises(OSError):
        reporter.set(FINISHED)
    Reporter(None).set(FINISHED)  # one of several processes, which writes nothing


def test_notes_are_in_the_log(tmp_path: Path) -> None:
    Reporter(tmp_path).note("one")
    Reporter(tmp_path).note("two")
    assert [line.split()[1] for line in (tmp_path / "log.txt").read_text().splitlines()] == ["one", "two"]


def test_only_who_sits_at_a_terminal_is_told_of_a_command(tmp_path: Path) -> None:
    class Terminal:
        def __init__(self) -> None:
            self.lines = list[str]()

        def progress(self, status: Status) -> None: ...

        def note(self, line: str) -> None:
            self.lines.append(line)

    Reporter(tmp_path).set(STOPPED)
    assert "command" not in (tmp_path / LOG_NAME).read_text()
    terminal = Terminal()
    Reporter(None, terminal).set(STOPPED)
    assert "command" in terminal.lines[0]


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '"running"', '{"state": 5}', '{"state": "dreaming"}', '{"done": 1}', "[" * 100_000, "\xff"],
)
def test_an_unreadable_status_is_none(tmp_path: Path, text: str) -> None:
    assert read_status(tmp_path) is None
    (tmp_path / STATUS_NAME).write_text(text, encoding="latin-1")
    assert read_status(tmp_path) is None


def test_a_folder_in_its_place_is_none(tmp_path: Path) -> None:
    (tmp_path / STATUS_NAME).mkdir()
    assert read_status(tmp_path) is None


def test_a_later_version_may_have_other_fields(tmp_path: Path) -> None:
    (tmp_path / STATUS_NAME).write_text('{"state": "running", "done": 3, "mood": {"good": true}, "speed": 4}')
    assert read_status(tmp_path) == Status(RUNNING, done=3, figures={"speed": 4})
    (tmp_path / STATUS_NAME).write_text('{"state": "running", "done": "most of it"}')
    assert read_status(tmp_path) == Status(RUNNING)


def test_a_share_is_never_too_large() -> None:
    assert Status(RUNNING, done=5, total=4).share == 1
    assert Status(RUNNING, done=-5, total=4).share == 0
    assert Status(RUNNING, done=5).share == 0
