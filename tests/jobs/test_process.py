"""Processes that are recognized again."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from fer.jobs.process import NICENESS, ProcessMark, end_process, mark_of, start_process
from tests.scripts.processes import wait_until

PATIENT = "import time; print('here', flush=True); time.sleep(60)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {PATIENT}"


def test_a_process_is_identified_by_its_start_time_too() -> None:
    mark = mark_of(os.getpid())
    assert mark and mark.is_alive()
    assert not ProcessMark(mark.pid, mark.began - 5).is_alive()


@pytest.mark.parametrize("pid", [-1, 2**22 + 1, 10**30])
def test_an_unused_pid(pid: int) -> None:
    assert mark_of(pid) is None
    assert not ProcessMark(pid, 0.0).is_alive()


def test_a_process_that_nobody_waited_for_is_not_alive() -> None:
    process = subprocess.Popen([sys.executable, "-c", PATIENT], stdout=subprocess.DEVNULL)
    mark = mark_of(process.pid)
    assert mark and mark.is_alive()
    process.kill()
    wait_until(lambda: not mark.is_alive())
    process.wait()


def test_it_has_low_priority_its_own_session_and_ends_when_asked(tmp_path: Path) -> None:
    mark = start_process([sys.executable, "-c", PATIENT], tmp_path / "log")
    wait_until(lambda: "here" in (tmp_path / "log").read_text())
    assert psutil.Process(mark.pid).nice() == NICENESS
    assert os.getsid(mark.pid) == mark.pid
    end_process(mark, patience_seconds=60)
    assert not mark.is_alive()
    end_process(mark, patience_seconds=60)  # ending it again does no harm


@pytest.mark.slow
def test_a_process_that_ignores_the_request_is_killed(tmp_path: Path) -> None:
    mark = start_process([sys.executable, "-c", STUBBORN], tmp_path / "log")
    wait_until(lambda: "here" in (tmp_path / "log").read_text())
    end_process(mark, patience_seconds=0.5)
    assert not mark.is_alive()


def test_another_process_with_the_same_pid_is_left_alone() -> None:
    end_process(ProcessMark(os.getpid(), 1.0), patience_seconds=1)  # and this test continues
