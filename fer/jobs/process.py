"""Processes that outlive whoever started them, known again by their number and the moment they began.

A number alone would not do: the system gives it to another process once the first has ended.
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
"""So much a job steps back where pages need the processor."""


@dataclass(frozen=True)
class ProcessMark:
    """Tells one process from all others of this machine, before and after a restart."""

    pid: int
    began: float
    """Seconds since 1970, as the system gives it."""

    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self.running() is not None

    def running(self) -> psutil.Process | None:
        """Return the process, if it still runs."""
        with contextlib.suppress(psutil.Error, ValueError, OverflowError):
            process = psutil.Process(self.pid)
            # The system may count from another start of the clock after a suspension: a second is near enough.
            if abs(process.create_time() - self.began) < 1 and process.status() != psutil.STATUS_ZOMBIE:
                return process
        return None


def mark_of(pid: int) -> ProcessMark | None:
    """Return what tells the process of that number from later ones; None if there is none."""
    with contextlib.suppress(psutil.Error, ValueError, OverflowError):
        return ProcessMark(pid, psutil.Process(pid).create_time())
    return None


def available_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def spare_threads() -> int:
    """Return how many threads a job gets: all of the processor's but one, which is left to the pages."""
    return max((os.cpu_count() or 1) - 1, 1)


def start_process(command: Sequence[str | os.PathLike[str]], log: Path) -> ProcessMark:
    """Start a process that goes on when this one ends and steps back for others; what it says is added to the log.

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
            env=os.environ | {"PYTHONIOENCODING": "utf-8"},  # as the log is read
            **apart,
        )  # on Windows: DETACHED_PROCESS and CREATE_NEW_PROCESS_GROUP
    mark = mark_of(process.pid) or ProcessMark(process.pid, 0.0)  # the latter if it has ended already
    with contextlib.suppress(psutil.Error):
        # Windows knows classes only.
        psutil.Process(process.pid).nice(getattr(psutil, "BELOW_NORMAL_PRIORITY_CLASS", NICENESS))
    # Else it would stay behind as a zombie until this process ends.
    threading.Thread(target=process.wait, daemon=True, name=f"wait for {process.pid}").start()
    return mark


def end_process(
    mark: ProcessMark, patience_seconds: float, ask: Callable[[psutil.Process], object] = psutil.Process.terminate
) -> None:
    """Ask a process to end, and end it where it does not do so in time; return when it is gone.

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
