"""A job is a folder; all that is known of it lies there, so that any process may look at any time.

    config.json    what is asked for: its kind, and the fields of that kind's request
    status.json    where it stands, see `fer.jobs.status`
    process.json   who does it
    log.txt        what that process said
    .lock          held by the process for as long as it lives
    .stop          asks it to stop, on Windows

So a page may be reloaded, several people may look at once, and the program that started a job may end.
"""

import _thread
import contextlib
import re
import secrets
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import psutil
from filelock import FileLock, Timeout

from fer.errors import FerError, JobError, lacks_room, problem_of
from fer.files import changed_ns, file_errors, read_bytes
from fer.jobs.process import ProcessMark, end_process, mark_of, spare_threads, start_process
from fer.jobs.status import (
    DAMAGED,
    FAILED,
    FINISHED,
    INTERRUPTED,
    LOG_NAME,
    RUNNING,
    STARTING,
    STATUS_NAME,
    STOPPED,
    Reporter,
    Status,
    Watcher,
    read_status,
)
from fer.names import is_refused_by_windows
from fer.records import from_plain, plain_of, read_record, write_record

CONFIG_NAME, PROCESS_NAME, LOCK_NAME, STOP_NAME = "config.json", "process.json", ".lock", ".stop"
WORKER = ("-m", "fer.cli.jobs", "run")
"""What Python is started with to do a job; the folder follows."""

_ID = re.compile(r"[\w-]{16,32}")

R = TypeVar("R")

_changing = threading.Lock()
_ASKED_BY_A_FILE = sys.platform == "win32"
"""Windows ends a process without asking it."""


class Stop(Protocol):
    """What tells a job that somebody wants it to stop."""

    asked: bool
    gently: bool
    """Set by a job that looks at `asked` now and then; else it is ended by KeyboardInterrupt, wherever it is."""


@dataclass(frozen=True)
class Kind(Generic[R]):
    """What all jobs of a kind have in common."""

    name: str
    """Stands in config.json."""
    request: type[R]
    """A frozen dataclass of plain values."""
    place: str = "*"
    """Where jobs of this kind are below the folder that they are kept in, as a pattern."""
    at_once: Callable[[], int] = lambda: 1
    """How many jobs of this kind may go on at the same time in a place."""
    hint: str = ""
    """What else one can do where as many go on."""
    earlier: Callable[[Path], tuple[R | None, Status | None] | None] = lambda folder: None
    """Reads a folder in which config.json names no kind, as an earlier version left it: the request, and where the job
    stands if status.json does not say so. None: there is no such job. May raise FerError, TypeError or ValueError."""


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
        """Why it failed, or the last words of a process that never came so far as to say where it stands."""
        if self.state == INTERRUPTED and not self.status.time:
            return log_tail(self.folder, 1).removeprefix("error: ")
        return self.status.message


def create(folder: Path, kind: Kind[R], request: R) -> None:
    """Make the folder of a job, without starting it.

    Raises:
        JobError: the folder is there already, or cannot be written to.
    """
    with file_errors(f"{folder.name} cannot be kept", JobError):
        folder.mkdir(parents=True)
        write_request(folder, kind, request)


def new_job(place: Path, kind: Kind[R], request: R) -> Path:
    """Make the folder of a job and return it.

    Raises:
        JobError: it cannot be made.
    """
    folder = place / secrets.token_urlsafe(16)
    create(folder, kind, request)
    return folder


def write_request(folder: Path, kind: Kind[R], request: R) -> None:
    """Write what is asked for into a folder that is there.

    Raises:
        OSError: it cannot be written.
    """
    values = {field.name: getattr(request, field.name) for field in fields(request)}  # type: ignore[arg-type]
    write_record(folder / CONFIG_NAME, {"kind": kind.name, **values})


def kind_of(folder: Path) -> str | None:
    """Return the name of the kind of a job; None where the folder does not say it."""
    name = (read_record(folder / CONFIG_NAME, dict[str, Any]) or {}).get("kind")
    return name if isinstance(name, str) else None


def read_request(folder: Path, kind: Kind[R]) -> R:
    """Read what is asked for.

    Raises:
        JobError: the file is missing, damaged, of a later version, or asks for something else.
    """
    found = _read(folder, kind)
    if found[0] is None:
        raise JobError(f"expected in {folder} what the {kind.name} is asked for, found its result only.")
    return found[0]


def _read(folder: Path, kind: Kind[R]) -> tuple[R | None, Status | None]:
    """Return what is asked for and, in folders of an earlier version, where the job stands."""
    path, name = folder / CONFIG_NAME, kind_of(folder)
    try:
        if name == kind.name:
            values = plain_of(read_bytes(path))
            del values["kind"]
            # What a later version asks for, nobody may leave out.
            return from_plain(values, kind.request, exact=True), None
        found = None if name else kind.earlier(folder)
    except (OSError, ValueError, TypeError, FerError) as error:
        raise JobError(f"expected in {path} what the {kind.name} is asked for: {error}.") from error
    if found is None:
        raise JobError(f"expected in {path} what the {kind.name} is asked for, found {name or 'nothing of that kind'}.")
    return found


def view(folder: Path, kind: Kind[R]) -> JobView[R]:
    """Read where a job stands. Never fails: what cannot be read makes it damaged."""
    found, status, problem = None, read_status(folder), ""
    state = _state(folder, status)
    try:
        found = _read(folder, kind)
        if found[1] and status is None and state != STARTING:
            state, status = found[1].state, found[1]
    except JobError as error:
        problem = str(error)
    if problem and state not in (STARTING, RUNNING):
        state, status = DAMAGED, Status(DAMAGED, problem)
    created = (changed_ns(folder / CONFIG_NAME) or changed_ns(folder)) / 1e9
    return JobView(folder, state, found[0] if found else None, status or Status(state), created)


def find(parent: Path, job_id: str, kind: Kind[R]) -> JobView[R] | None:
    """Return the job of an ID that cannot be guessed; it may come from anybody. None where there is no such job."""
    return view(parent / job_id, kind) if _ID.fullmatch(job_id) and (parent / job_id).is_dir() else None


def views(parent: Path, kind: Kind[R]) -> list[JobView[R]]:
    """Return all jobs of a kind in a place: those that go on first, then the newest."""
    found = [view(folder, kind) for folder in parent.glob(kind.place) if folder.is_dir() and _is_of(folder, kind)]
    return sorted(found, key=lambda seen: (not seen.active, -seen.created, seen.name))


def _is_of(folder: Path, kind: Kind[R]) -> bool:
    """Whether a folder is a job of that kind, or may be a damaged one."""
    name = kind_of(folder)
    if name is not None or changed_ns(folder / CONFIG_NAME):
        return name in (kind.name, None)
    with contextlib.suppress(OSError):  # nobody may look into it
        return bool(kind.earlier(folder))
    return False


def is_begun(folder: Path) -> bool:
    """Whether a job was ever started."""
    return (folder / PROCESS_NAME).exists() or (folder / STATUS_NAME).exists()


def _state(folder: Path, status: Status | None) -> str:
    mark = read_record(folder / PROCESS_NAME, ProcessMark)
    alive = mark is not None and mark.is_alive()
    if status is None:
        return STARTING if alive else INTERRUPTED
    # One that was started from a command line has its lock when it says so; to look earlier could keep it out.
    return INTERRUPTED if status.state == RUNNING and not alive and not is_locked(folder) else status.state


def start(folder: Path, kind: Kind[R], threads: int | None = None, among: Sequence[JobView[R]] = ()) -> None:
    """Start a job as a process of its own, or go on with it.

    Of the jobs `among` which it shares the machine as many may go on as the kind allows. It has all threads of the
    processor but one if not told, which is left to the pages.

    Raises:
        JobError: it goes on already, has finished or is damaged, others go on, or no process can be started.
    """
    with _changing:
        seen = view(folder, kind)
        if not seen.can_resume:
            raise JobError(f"expected a job that was stopped or interrupted, but {seen.name} is {seen.state}.")
        check_free(kind, among)
        with file_errors(f"{folder.name} cannot be started", JobError):
            (folder / STATUS_NAME).unlink(missing_ok=True)  # what an earlier process said holds no longer
            command = [sys.executable, *WORKER, str(folder), "--threads", str(threads or spare_threads())]
            write_record(folder / PROCESS_NAME, start_process(command, folder / LOG_NAME))


def check_free(kind: Kind[R], among: Sequence[JobView[R]]) -> None:
    """Raise JobError where as many jobs as allowed go on; which ones may be a secret."""
    allowed = kind.at_once()
    if sum(view(seen.folder, kind).active for seen in among) >= allowed:
        raise JobError(
            f"another {kind.name} goes on, and this machine does {allowed} at a time. Stop it, or wait until it ends"
            f"{f'; {kind.hint}' if kind.hint else ''}."
        )


def stop(folder: Path, kind: Kind[R], patience_seconds: float = 20.0) -> None:
    """Ask a job to stop, wait until it has, and end it if it does not; what is done stays, and `start` goes on.

    Raises:
        JobError: the process belongs to somebody else.
    """
    mark, status = read_record(folder / PROCESS_NAME, ProcessMark), read_status(folder)
    if status and not (mark and mark.is_alive()) and is_locked(folder):  # it was started from a command line
        mark = mark_of(status.pid)
    if mark is None or not mark.is_alive():
        return
    with file_errors(f"{folder.name} cannot be stopped", JobError):
        ask = (lambda _: (folder / STOP_NAME).touch()) if _ASKED_BY_A_FILE else psutil.Process.terminate
        end_process(mark, patience_seconds, ask)
    seen = view(folder, kind)
    if seen.state == INTERRUPTED:  # it could not say so itself
        with contextlib.suppress(OSError):
            reporter = Reporter(folder)
            reporter.status = seen.status
            reporter.set(STOPPED)


def delete(folder: Path, kind: Kind[R]) -> None:
    """Remove a job with everything in its folder.

    Raises:
        JobError: it goes on, or the system does not let us.
    """
    with _changing:
        check_still(folder, kind)
        with file_errors(f"{folder.name} cannot be deleted", JobError):  # also where the folder is a link
            shutil.rmtree(folder)


def check_still(folder: Path, kind: Kind[R]) -> None:
    """Raise JobError if a job goes on."""
    if view(folder, kind).active:
        raise JobError(f"{folder.name} is running. Stop it first.")


def safe_name(name: str) -> str:
    """Return a visitor's name of a file or folder, so that nothing in it can lead elsewhere; empty if none is left."""
    safe = re.sub(r"[^\w .()-]+", "-", name).strip(" .")
    return f"_{safe}" if is_refused_by_windows(safe) else safe


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
def locked(folder: Path, patience_seconds: float = 1.0) -> Iterator[None]:
    """Keep other processes out of a job's folder; the system lets the lock go when this process ends, however it ends.

    Raises:
        JobError: another process is in it.
    """
    try:
        # Whoever looks whether the lock is held holds it for a moment.
        with FileLock(folder / LOCK_NAME, timeout=patience_seconds):
            yield
    except Timeout as error:
        raise JobError(f"another process works in {folder}. Wait for it, or stop it.") from error


def is_locked(folder: Path) -> bool:
    """Whether a living process works in a folder."""
    try:
        if (folder / LOCK_NAME).exists():
            with locked(folder, 0):
                pass
    except JobError:
        return True
    except OSError:  # it belongs to somebody else, or cannot be written to
        return False
    return False


@contextmanager
def _heeding(folder: Path) -> Iterator[None]:
    """Take the file that asks this process to stop for SIGTERM, where there is no such signal."""
    over = threading.Event()

    def heed() -> None:
        while not over.wait(0.2):
            if (folder / STOP_NAME).exists():
                (folder / STOP_NAME).unlink()
                _thread.interrupt_main(signal.SIGTERM)

    if _ASKED_BY_A_FILE:
        (folder / STOP_NAME).unlink(missing_ok=True)  # meant an earlier process
        threading.Thread(target=heed, daemon=True, name=f"heed {folder.name}").start()
    try:
        yield
    finally:
        over.set()


@contextmanager
def working(folder: Path, watcher: Watcher | None = None) -> Iterator[Reporter]:
    """Do a job in this process: others are kept out, and its status says how it ended. A full disk pauses it.

    Whoever stops before the end calls `reporter.set(STOPPED)`; what is left in the state "running" has finished.

    Raises:
        JobError: another process is in the folder.
    """
    with locked(folder), _heeding(folder):
        reporter = Reporter(folder, watcher)
        try:
            reporter.set(RUNNING)
            yield reporter
            if reporter.status.state == RUNNING:
                reporter.set(FINISHED)
        except KeyboardInterrupt:
            reporter.set(STOPPED)
            raise
        except BaseException as error:
            with contextlib.suppress(OSError):  # the folder may be gone
                known = isinstance(error, FerError | OSError)
                message = problem_of(error) if known else f"{type(error).__name__}: {error}"
                reporter.set(STOPPED if lacks_room(error) else FAILED, message)
            raise
