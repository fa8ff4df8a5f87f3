"""Processes that are known again."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fer.training.background import NICENESS, ProcessMark, began, end_process, start_process

PATIENT = "import time; print('here', flush=True); time.sleep(60)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {PATIENT}"


def wait_for(path: Path, text: str) -> None:
    until = time.monotonic() + 20
    while text not in path.read_text():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_process_is_known_by_its_beginning_too() -> None:
    mark = ProcessMark(os.getpid(), began(os.getpid()) or "")
    assert mark.is_alive()
    assert not ProcessMark(os.getpid(), "another time").is_alive()


def test_a_process_that_nobody_waited_for_is_not_alive() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    time.sleep(0.1)
    until = time.monotonic() + 20
    while began(process.pid):
        assert time.monotonic() < until
        time.sleep(0.05)
    process.wait()
    assert began(process.pid) is None


def test_it_is_polite_in_a_session_of_its_own_and_ends_when_asked(tmp_path: Path) -> None:
    mark = start_process([sys.executable, "-c", PATIENT], tmp_path / "log")
    wait_for(tmp_path / "log", "here")
    assert os.getpriority(os.PRIO_PROCESS, mark.pid) == NICENESS
    assert os.getsid(mark.pid) == mark.pid
    end_process(mark, patience_seconds=20)
    assert not mark.is_alive()
    end_process(mark, patience_seconds=20)  # once more does no harm


def test_one_that_does_not_listen_is_ended(tmp_path: Path) -> None:
    mark = start_process([sys.executable, "-c", STUBBORN], tmp_path / "log")
    wait_for(tmp_path / "log", "here")
    end_process(mark, patience_seconds=0.5)
    assert not mark.is_alive()


def test_another_process_of_that_number_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: sent.append(number))
    end_process(ProcessMark(os.getpid(), "long ago"), patience_seconds=1)
    assert sent == []
