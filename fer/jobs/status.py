"""Where a job stands: one way to write it, one way to read it."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path

from fer.records import read_record, write_record

STARTING, RUNNING, STOPPED, INTERRUPTED = "starting", "running", "stopped", "interrupted"
FAILED, FINISHED, DAMAGED = "failed", "finished", "damaged"
"""Starting, interrupted and damaged are never written: no word yet, gone without a word, cannot be read."""
EVERY_SECONDS = 0.5
STATUS_NAME = "status.json"


@dataclass(frozen=True)
class Status:
    """What a job says of itself."""

    state: str
    message: str = ""
    """Why it failed; empty in most states."""
    what: str = ""
    """What it does at the moment: "reading pictures"."""
    done: float = 0.0
    total: float = 0.0
    """0 before it is known."""
    seconds_left: float | None = None
    figures: dict[str, float] = field(default_factory=dict)
    """What else a kind of job has to say: "faces_per_second"."""
    pid: int = 0
    time: str = ""

    @property
    def share(self) -> float:
        """How much is done, 0..1; 0 before that is known."""
        return min(max(self.done / self.total, 0.0), 1.0) if self.total > 0 else 0.0


def read_status(folder: Path) -> Status | None:
    """Return what a job said last; None where it has said nothing that can be understood."""
    return read_record(folder / STATUS_NAME, Status)


class Reporter:
    """Writes where a job stands, at most twice a second while it goes on."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        """Say nothing yet."""
        self.status = Status(RUNNING)
        self._path = folder / STATUS_NAME
        self._clock = clock
        self._written = -float("inf")
        self._began: tuple[float, float] | None = None

    def set(self, state: str, message: str = "") -> None:
        """Say at once that the job is in another state.

        Raises:
            OSError: it cannot be written.
        """
        self.status = replace(self.status, state=state, message=message, seconds_left=None)
        self._write(durable=state != RUNNING)

    def say(
        self,
        what: str,
        done: float,
        total: float,
        figures: Mapping[str, float] | None = None,
        seconds_left: float | None = None,
    ) -> None:
        """Say how far the job is, unless it was said a moment ago.

        Args:
            what: it does at the moment; where that changes, the time that is left is counted anew.
            done: of the total, in any unit.
            total: 0 where it is not known.
            figures: see `Status`.
            seconds_left: where the job knows better than by how much it did in how long.
        """
        now = self._clock()
        if self._began is None or what != self.status.what or done < self._began[1]:
            self._began = now, done
        elif seconds_left is None and done > self._began[1] and total:
            seconds_left = (now - self._began[0]) / (done - self._began[1]) * (total - done)
        changed = what != self.status.what
        self.status = replace(
            self.status, what=what, done=done, total=total, figures=dict(figures or {}), seconds_left=seconds_left
        )
        if changed or done == total or now - self._written >= EVERY_SECONDS:
            self._write(durable=False)  # a second later it is out of date

    def _write(self, durable: bool) -> None:
        self._written = self._clock()
        self.status = replace(self.status, pid=os.getpid(), time=datetime.now(timezone.utc).isoformat())
        write_record(self._path, self.status, durable)
