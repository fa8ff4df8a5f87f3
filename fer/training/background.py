"""Processes that outlive whoever started them, known again by their number and the moment they began.

A number alone would not do: the system gives it to another process once the first has ended.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NICENESS = 10
"""So much a training run steps back where pages need the processor."""


def read_record(path: Path) -> dict[str, Any]:
    """Return what a process left as JSON; nothing where it left nothing, or is not done with it."""
    try:
        record: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return record


def last_words(log: Path) -> str:
    """Return the last line of a log, without "error: "; "" where there is none."""
    try:
        lines = log.read_text(errors="replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1].removeprefix("error: ") if lines else ""


@dataclass(frozen=True)
class ProcessMark:
    """Tells one process from all others of this machine, before and after a restart."""

    pid: int
    began: str

    def is_alive(self) -> bool:
        """Whether it still runs."""
        return began(self.pid) == self.began


def began(pid: int) -> str | None:
    """Return a text that no later process of the same number has, or None if none of that number runs."""
    if sys.platform == "linux":
        try:
            # The name, in brackets, may hold anything; after it come the state and, 19 fields on, the start in ticks.
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        except OSError:
            return None
        return None if fields[0] in "ZX" else f"{boot} {fields[19]}"
    listed = subprocess.run(["ps", "-o", "state=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, start = listed.stdout.strip().partition(" ")
    return None if not start or state.startswith("Z") else start.strip()


def start_process(command: Sequence[str | os.PathLike[str]], log: Path) -> ProcessMark:
    """Start a process that goes on when this one ends, and that steps back for others.

    Args:
        command: the program and its arguments.
        log: what it says is added to this file.

    Raises:
        OSError: it cannot be started.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    with contextlib.suppress(OSError):  # it has ended already
        os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
    mark = ProcessMark(process.pid, began(process.pid) or "")
    # Else it would stay behind as a zombie until this process ends.
    threading.Thread(target=process.wait, daemon=True, name=f"wait for {process.pid}").start()
    return mark


def end_process(mark: ProcessMark, patience_seconds: float) -> None:
    """Ask a process to end, and end it where it does not do so in time; return when it is gone.

    Raises:
        PermissionError: it belongs to another user.
    """
    for number in (signal.SIGTERM, signal.SIGKILL):
        if not mark.is_alive():
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(mark.pid, number)
        until = time.monotonic() + patience_seconds
        while mark.is_alive() and time.monotonic() < until:
            time.sleep(0.1)
