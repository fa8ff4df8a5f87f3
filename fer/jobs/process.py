"""Processes that outlive their parent, identified by PID and start time.

A PID alone is not enough: the system reuses it once a process has ended.
"""

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

NICENESS = 10
"""A job's niceness, so that pages stay responsive."""


@dataclass(frozen=True)
class ProcessMark:
    """Identifies a process on this machine, before and after a restart."""

    pid: int
    began: float
    """Seconds since 1970, as reported by the system."""

    def is_alive(self) -> bool:
        """Whether it is still running."""
        return self.running() is not None

    def running(self) -> psutil.Process | None:
        """Return the process if it is still running."""
        with contextlib.suppress(psutil.Error, ValueError, OverflowError):
            process = psutil.Process(self.pid)
            # The system's clock may shift after a suspend: a difference of a second is fine.
            if abs(process.create_time() - self.began) < 1 and process.status() != psutil.STATUS_ZOMBIE:
                return process
        return None


def mark_of(pid: int) -> ProcessMark | None:
    """Return the mark of the process with this PID; None if there is none."""
    with contextlib.suppress(psutil.Error, ValueError, OverflowError):
        return ProcessMark(pid, psutil.Process(pid).create_time())
    return None


def available_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def spare_threads() -> int:
    """Return how many threads a job gets: all but one, which is left to the pages."""
    return max((os.cpu_count() or 1) - 1, 1)


def start_process(command: Sequence[str | os.PathLike[str]], log: Path) -> ProcessMark:
    """Start a process that outlives this one, at lower priority; its output is appended to the log.

    Raises:
        OSError: it cannot be started.
    """
    apart = {"creationflags": 0x00000208} if sys.platform == "win32" else {"start_new_session": True}
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | {"PYTHONIOENCODING": "utf-8"},  # the encoding of the log
            **apart,
        )  # on Windows: DETACHED_PROCESS and CREATE_NEW_PROCESS_GROUP
    mark = mark_of(process.pid) or ProcessMark(process.pid, 0.0)  # the latter if it has already ended
    with contextlib.suppress(psutil.Error):
        # Windows has priority classes only.
        psutil.Process(process.pid).nice(getattr(psutil, "BELOW_NORMAL_PRIORITY_CLASS", NICENESS))
    # Otherwise it would remain as a zombie until this process ends.
    threading.Thread(target=process.wait, daemon=True, name=f"wait for {process.pid}").start()
    return mark


def end_process(
    mark: ProcessMark, patience_seconds: float, ask: Callable[[psutil.Process], object] = psutil.Process.terminate
) -> None:
    """Ask a process to end, kill it if it does not in time, and return when it is gone.

    Raises:
        PermissionError: it belongs to another user.
    """
    for end in (ask, psutil.Process.kill):
        process = mark.running()
        if process is None:
            return
        try:
            end(process)
            process.wait(patience_seconds)
        except psutil.AccessDenied as error:
            raise PermissionError(f"the process {mark.pid} belongs to another user") from error
        except (psutil.NoSuchProcess, psutil.TimeoutExpired):
            continue
