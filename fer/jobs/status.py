"""The status of a job: how it is written and read."""

import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from fer.errors import lacks_room
from fer.records import from_plain, read_record, to_json, write_record

STARTING, RUNNING, STOPPED, INTERRUPTED = "starting", "running", "stopped", "interrupted"
FAILED, FINISHED, DAMAGED = "failed", "finished", "damaged"
"""Starting, interrupted and damaged are never written: no status yet, process gone, unreadable."""
EVERY_SECONDS = 0.5
STATUS_NAME, LOG_NAME = "status.json", "log.txt"


@dataclass(frozen=True)
class Status:
    """What a job reports about itself."""

    state: str
    message: str = ""
    """Why it failed, or stopped without being asked; empty in most states."""
    what: str = ""
    """The current step: "reading pictures"."""
    done: float = 0.0
    total: float = 0.0
    """0 until it is known."""
    seconds_left: float | None = None
    pid: int = 0
    time: str = ""
    figures: dict[str, float] = field(default_factory=dict)
    """Other numbers of this kind of job: "faces_per_second". In the file they are on the same level as the fields."""

    @property
    def share(self) -> float:
        """The share that is done, 0..1; 0 until it is known."""
        return min(max(self.done / self.total, 0.0), 1.0) if self.total > 0 else 0.0


def read_status(folder: Path) -> Status | None:
    """Return the last status of a job; None if there is none, or it cannot be read."""
    found = read_record(folder / STATUS_NAME, dict[str, Any])
    if found is None or found.get("state") not in (RUNNING, STOPPED, FAILED, FINISHED):
        return None
    known = {entry.name for entry in fields(Status)}
    found["figures"] = {
        name: value for name, value in found.items() if name not in known and isinstance(value, int | float)
    }
    try:
        return from_plain(found, Status)
    except ValueError:  # a later version may have changed fields
        return Status(found["state"])


class Watcher(Protocol):
    """Shows the progress of a job at a terminal."""

    def progress(self, status: Status) -> None:
        """Show the progress."""

    def note(self, line: str) -> None:
        """Show a line of the log."""


class Reporter:
    """Writes the status of a job, at most twice a second while it runs."""

    def __init__(
        self, folder: Path | None, watcher: Watcher | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Prepare a reporter; without a folder nothing is ever written."""
        self.status = Status(RUNNING)
        self._folder = folder
        self._watcher = watcher
        self._clock = clock
        self._written = -float("inf")
        self._began: tuple[float, float] | None = None

    def set(self, state: str, message: str = "", figures: dict[str, float] | None = None) -> None:
        """Change the state of the job at once, with the reason if it failed; the last progress is kept.

        Figures, if given, replace the last ones.

        Raises:
            OSError: the status cannot be written.
        """
        figures = self.status.figures if figures is None else figures
        self.status = replace(self.status, state=state, message=message, seconds_left=None, figures=figures)
        self._write(durable=state != RUNNING)
        if state == STOPPED:
            self.note(f"stopped; {'run the same command to resume' if self._watcher else 'it can be resumed'}")

    def say(self, what: str, done: float, total: float, figures: dict[str, float] | None = None) -> None:
        """Report the progress, unless it was just written.

        Args:
            what: the current step.
            done: amount done, in the unit of `total`. The estimate of the remaining time restarts when it falls or the
                total changes.
            total: total amount; 0 if it is not known.
            figures: see `Status`.
        """
        now = self._clock()
        seconds_left: float | None = None
        if self._began is None or done < self._began[1] or total != self.status.total:
            self._began = now, done
        elif done > self._began[1] and total:
            seconds_left = round((now - self._began[0]) / (done - self._began[1]) * (total - done), 1)
        self.status = replace(
            self.status, what=what, done=done, total=total, figures=figures or {}, seconds_left=seconds_left
        )
        if self._watcher:
            self._watcher.progress(self.status)
        if done == total or now - self._written >= EVERY_SECONDS:
            with contextlib.suppress(OSError):  # writing the result reports a full disk
                self._write(durable=False)  # out of date within a second

    def note(self, text: str) -> None:
        """Append a line to the log."""
        line = f"{time.strftime('%H:%M:%S')} {text}"
        if self._folder:
            with contextlib.suppress(OSError), (self._folder / LOG_NAME).open("a", encoding="utf-8") as log:
                log.write(f"{line}\n")
        if self._watcher:
            self._watcher.note(line)

    def _write(self, durable: bool) -> None:
        self._written = self._clock()
        self.status = replace(self.status, pid=os.getpid(), time=datetime.now(UTC).isoformat())
        record = asdict(self.status)
        if self._folder is None:
            return
        path, record = self._folder / STATUS_NAME, record | record.pop("figures")
        try:
            write_record(path, record, durable)
        except OSError as error:
            if not lacks_room(error):
                raise
            with path.open("r+b") as file:  # an existing file keeps its space on a full disk
                file.write(to_json(record).encode())
                file.truncate()
