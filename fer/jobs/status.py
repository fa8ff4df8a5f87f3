"""Where a job stands: one way to write it, one way to read it."""

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
"""Starting, interrupted and damaged are never written: no word yet, gone without a word, cannot be read."""
EVERY_SECONDS = 0.5
STATUS_NAME, LOG_NAME = "status.json", "log.txt"


@dataclass(frozen=True)
class Status:
    """What a job says of itself."""

    state: str
    message: str = ""
    """Why it failed, or was stopped though nobody wanted it; empty in most states."""
    what: str = ""
    """What it does at the moment: "reading pictures"."""
    done: float = 0.0
    total: float = 0.0
    """0 before it is known."""
    seconds_left: float | None = None
    pid: int = 0
    time: str = ""
    figures: dict[str, float] = field(default_factory=dict)
    """What else a kind of job has to say: "faces_per_second". In the file they stand beside the others."""

    @property
    def share(self) -> float:
        """How much is done, 0..1; 0 before that is known."""
        return min(max(self.done / self.total, 0.0), 1.0) if self.total > 0 else 0.0


def read_status(folder: Path) -> Status | None:
    """Return what a job said last; None where it has said nothing that can be understood."""
    found = read_record(folder / STATUS_NAME, dict[str, Any])
    if found is None or found.get("state") not in (RUNNING, STOPPED, FAILED, FINISHED):
        return None
    known = {entry.name for entry in fields(Status)}
    found["figures"] = {
        name: value for name, value in found.items() if name not in known and isinstance(value, int | float)
    }
    try:
        return from_plain(found, Status)
    except ValueError:  # a later version may say more in another shape
        return Status(found["state"])


class Watcher(Protocol):
    """Shows a person at a terminal what a job says."""

    def progress(self, status: Status) -> None:
        """Show how far it is."""

    def note(self, line: str) -> None:
        """Show a line of its log."""


class Reporter:
    """Writes where a job stands, at most twice a second while it goes on."""

    def __init__(
        self, folder: Path | None, watcher: Watcher | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Say nothing yet; without a folder nothing is ever written."""
        self.status = Status(RUNNING)
        self._folder = folder
        self._watcher = watcher
        self._clock = clock
        self._written = -float("inf")
        self._began: tuple[float, float] | None = None

    def set(self, state: str, message: str = "", figures: dict[str, float] | None = None) -> None:
        """Say at once that the job is in another state, and why it failed; what was last said of its progress stays.

        Figures, if given, take the place of those that were said last.

        Raises:
            OSError: it cannot be written.
        """
        figures = self.status.figures if figures is None else figures
        self.status = replace(self.status, state=state, message=message, seconds_left=None, figures=figures)
        self._write(durable=state != RUNNING)
        if state == STOPPED:
            self.note("stopped; the same command goes on")

    def say(self, what: str, done: float, total: float, figures: dict[str, float] | None = None) -> None:
        """Say how far the job is, unless it was said a moment ago.

        Args:
            what: it does at the moment.
            done: of the total, in any unit. Where it falls, or the total changes, the time that is left is counted
                anew.
            total: 0 where it is not known.
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
            with contextlib.suppress(OSError):  # a full disk is told of when the result is written
                self._write(durable=False)  # a second later it is out of date

    def note(self, text: str) -> None:
        """Add a line to the log, for people."""
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
            with path.open("r+b") as file:  # what is there has its place on the disk already
                file.write(to_json(record).encode())
                file.truncate()
