"""A job is a folder; all that is known of it lies there, so that any process may look at any time.

    config.json    what is asked for: its kind, and the fields of that kind's request
    status.json    where it stands, see `fer.jobs.status`
    process.json   who does it
    log.txt        what that process said
    .lock          held by the process for as long as it lives

So a page may be reloaded, several people may look at once, and the program that started a job may end, without the job
noticing or anybody seeing something else. What a job is about, its kind knows: what it reads, writes and keeps beside
these files.
"""

import contextlib
import shutil
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Generic, TypeVar

from filelock import FileLock, Timeout

from fer.errors import FerError, JobError
from fer.jobs.process import ProcessMark, end_process, spare_threads, start_process
from fer.jobs.status import (
    DAMAGED,
    FAILED,
    FINISHED,
    INTERRUPTED,
    RUNNING,
    STARTING,
    STATUS_NAME,
    STOPPED,
    Reporter,
    Status,
    read_status,
)
from fer.records import from_json, read_record, write_record

CONFIG_NAME, PROCESS_NAME, LOG_NAME, LOCK_NAME = "config.json", "process.json", "log.txt", ".lock"
WORKER = ("-m", "fer.cli.jobs", "run")
"""What Python is started with to do a job; the folder follows."""
STOP_SECONDS = 20.0
"""A job that was asked to stop has so long to come to a good end."""

R = TypeVar("R")

_changing = threading.Lock()


@dataclass(frozen=True)
class Kind(Generic[R]):
    """What all jobs of a kind have in common."""

    name: str
    """Stands in config.json."""
    request: type[R]
    """A frozen dataclass of plain values."""
    at_once: Callable[[], int] = lambda: 1
    """How many jobs of this kind may go on at the same time in a place."""
    earlier: Callable[[Path], tuple[R, Status | None] | None] = lambda folder: None
    """Reads what an earlier version left in a folder: the request, and where the job stands if that is known."""


@dataclass(frozen=True, eq=False)
class JobView(Generic[R]):
    """A job as it is on disk at one moment."""

    folder: Path
    state: str
    """One of `fer.jobs.status`."""
    request: R | None
    """None where it cannot be read."""
    status: Status
    created: float
    """Seconds since 1970."""

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.folder.name

    @property
    def active(self) -> bool:
        """Whether its process runs."""
        return self.state in (STARTING, RUNNING)

    @property
    def can_resume(self) -> bool:
        """Whether there is something left to do, and nobody does it."""
        return self.request is not None and self.state in (STOPPED, INTERRUPTED, FAILED)

    @property
    def message(self) -> str:
        """Why it failed, or what it said last where it was interrupted."""
        if self.status.message or self.state not in (FAILED, INTERRUPTED):
            return self.status.message
        return log_tail(self.folder, 1).removeprefix("error: ")


def create(folder: Path, kind: Kind[R], request: R) -> None:
    """Make the folder of a job, without starting it.

    Raises:
        JobError: the folder is there already, or cannot be written to.
    """
    try:
        folder.mkdir(parents=True)
        write_request(folder, kind, request)
    except FileExistsError as error:
        raise JobError(
            f"expected a new name, but there is something called {folder.name}. Choose another one."
        ) from error
    except OSError as error:
        raise JobError(f"{folder.name} cannot be kept in {folder.parent}: {error}. Make room there.") from error


def write_request(folder: Path, kind: Kind[R], request: R) -> None:
    """Write what is asked for into a folder that is there.

    Raises:
        OSError: it cannot be written.
    """
    values = {field.name: getattr(request, field.name) for field in fields(request)}  # type: ignore[arg-type]
    write_record(folder / CONFIG_NAME, {"kind": kind.name, **values})


def kind_of(folder: Path) -> str | None:
    """Return the name of the kind of a job; None where the folder does not say it."""
    return getattr(read_record(folder / CONFIG_NAME, _Named), "kind", None)


@dataclass(frozen=True)
class _Named:
    kind: str


def read_request(folder: Path, kind: Kind[R]) -> R:
    """Read what is asked for.

    Raises:
        JobError: the file is missing, damaged, or asks for something else.
    """
    path = folder / CONFIG_NAME
    try:
        if kind_of(folder) in (None, kind.name):
            return from_json(path.read_bytes(), kind.request)
        problem: Any = f"a job of the kind {kind_of(folder)}"
    except (OSError, ValueError, FerError) as error:
        problem = error
    earlier = kind.earlier(folder)
    if earlier:
        return earlier[0]
    raise JobError(f"expected in {path} what the {kind.name} is asked for, found: {problem}.")


def view(folder: Path, kind: Kind[R]) -> JobView[R]:
    """Read where a job stands. Never fails: what cannot be read makes it damaged."""
    status = read_status(folder)
    earlier = kind.earlier(folder) if status is None else None
    status = status or (earlier[1] if earlier else None)
    request: R | None = None
    try:
        request = read_request(folder, kind)
    except JobError as error:
        state, status = DAMAGED, Status(DAMAGED, str(error))
    else:
        state = _state(folder, status)
    try:
        created = next(path for path in (folder / CONFIG_NAME, folder) if path.exists()).stat().st_mtime
    except (OSError, StopIteration):
        created = 0.0
    return JobView(folder, state, request, status or Status(state), created)


def views(parent: Path, kind: Kind[R], pattern: str = "*") -> list[JobView[R]]:
    """Return all jobs of a kind in a place: those that go on first, then the newest."""
    folders = [folder for folder in parent.glob(pattern) if folder.is_dir()] if parent.is_dir() else []
    found = [view(folder, kind) for folder in folders if (folder / CONFIG_NAME).is_file() or kind.earlier(folder)]
    return sorted(found, key=lambda seen: (not seen.active, -seen.created, seen.name))


def _state(folder: Path, status: Status | None) -> str:
    mark = read_record(folder / PROCESS_NAME, ProcessMark)
    alive = mark is not None and mark.is_alive()
    if status is None:
        return STARTING if alive else INTERRUPTED
    if status.state != RUNNING:
        return status.state
    # One that was started from a command line. It has its lock when it says so; to look earlier could keep it out.
    return RUNNING if alive or is_locked(folder) else INTERRUPTED


def start(folder: Path, kind: Kind[R], threads: int | None = None, among: Sequence[JobView[R]] = ()) -> None:
    """Start a job as a process of its own, or go on with it.

    Args:
        folder: of the job.
        kind: of the job.
        threads: of the processor; all but one if not given, which is left to the pages.
        among: the jobs that it shares the machine with; as many as the kind allows may go on.

    Raises:
        JobError: it goes on already, has finished or is damaged, others go on, or no process can be started.
    """
    with _changing:
        seen = view(folder, kind)
        if not seen.can_resume:
            raise JobError(f"expected something that was stopped or interrupted, but {seen.name} is {seen.state}.")
        check_free(kind, [view(other.folder, kind) for other in among])
        try:
            (folder / STATUS_NAME).unlink(missing_ok=True)  # what an earlier process said holds no longer
            command = [sys.executable, *WORKER, str(folder), "--threads", str(threads or spare_threads())]
            write_record(folder / PROCESS_NAME, start_process(command, folder / LOG_NAME))
        except OSError as error:
            raise JobError(f"{folder.name} cannot be started: {error}") from error


def check_free(kind: Kind[R], among: Sequence[JobView[R]]) -> None:
    """Refuse to start another job where as many as allowed go on.

    Raises:
        JobError: it names them.
    """
    active, allowed = [seen.name for seen in among if seen.active], kind.at_once()
    if len(active) >= allowed:
        raise JobError(
            f"{', '.join(active)} goes on, and this machine does {allowed} at a time. Stop it, or wait until it ends."
        )


def stop(folder: Path, kind: Kind[R], patience_seconds: float = STOP_SECONDS) -> None:
    """Ask a job to stop, wait until it has, and end it if it does not; what is done stays, and `start` goes on.

    Raises:
        JobError: the process belongs to somebody else.
    """
    mark, status = read_record(folder / PROCESS_NAME, ProcessMark), read_status(folder)
    if (mark is None or not mark.is_alive()) and status and is_locked(folder):  # started from a command line
        mark = _mark_of(status.pid)
    if mark is None or not mark.is_alive():
        return
    try:
        end_process(mark, patience_seconds)
    except PermissionError as error:
        raise JobError(f"{folder.name} cannot be stopped: {error}.") from error
    seen = view(folder, kind)
    if seen.state == INTERRUPTED:  # it could not say so itself
        with contextlib.suppress(OSError):
            reporter = Reporter(folder)
            reporter.status = seen.status
            reporter.set(STOPPED)


def _mark_of(pid: int) -> ProcessMark | None:
    import psutil

    with contextlib.suppress(psutil.Error, ValueError):
        return ProcessMark(pid, psutil.Process(pid).create_time())
    return None


def delete(folder: Path, kind: Kind[R]) -> None:
    """Remove a job with everything in its folder.

    Raises:
        JobError: it goes on, or the system does not let us.
    """
    with _changing:
        check_still(folder, kind)
        try:
            shutil.rmtree(folder)
        except OSError as error:  # also where the folder is a link
            raise JobError(f"{folder.name} cannot be deleted: {error}") from error


def check_still(folder: Path, kind: Kind[R]) -> None:
    """Refuse to touch a job that goes on.

    Raises:
        JobError: it goes on.
    """
    if view(folder, kind).active:
        raise JobError(f"{folder.name} is running. Stop it first.")


def log_tail(folder: Path, lines: int = 12) -> str:
    """Return the last lines of what a job has said."""
    path = folder / LOG_NAME
    try:
        with path.open("rb") as file:
            file.seek(max(path.stat().st_size - 400 * lines, 0))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.strip().splitlines()[-lines:])


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other processes out of a job's folder; the system lets the lock go when this process ends, however it ends.

    Raises:
        JobError: another process is in it.
    """
    lock = FileLock(folder / LOCK_NAME)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise JobError(f"another process works in {folder}. Wait for it, or stop it.") from error
    try:
        yield
    finally:
        lock.release()


def is_locked(folder: Path) -> bool:
    """Whether a living process works in a folder."""
    if not (folder / LOCK_NAME).exists():
        return False
    try:
        with locked(folder):
            return False
    except JobError:
        return True


@contextmanager
def working(folder: Path) -> Iterator[Reporter]:
    """Do a job in this process: others are kept out, and its status says how it ended.

    Whoever stops before the end calls `reporter.set(STOPPED)`; what is left in the state "running" has finished.

    Raises:
        JobError: another process is in the folder.
    """
    with locked(folder):
        reporter = Reporter(folder)
        try:
            reporter.set(RUNNING)
            yield reporter
            if reporter.status.state == RUNNING:
                reporter.set(FINISHED)
        except KeyboardInterrupt:
            reporter.set(STOPPED)
            raise
        except BaseException as error:
            with contextlib.suppress(OSError):  # the disk may be full
                known = isinstance(error, FerError | OSError)
                reporter.set(FAILED, str(error) if known else f"{type(error).__name__}: {error}")
            raise
