"""A job is a folder that holds its whole state, so that any process can look at any time.

    config.json    the request: its kind and that kind's fields
    status.json    the status, see `fer.jobs.status`
    process.json   the process that does the work
    log.txt        the output of that process
    .lock          held by the process while it lives
    .stop          asks it to stop, on Windows

So a page can be reloaded, several people can watch, and the program that started a job can exit.
"""

import _thread
import contextlib
import re
import secrets
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
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
"""Arguments of Python that run a job; the folder follows."""

_ID = re.compile(r"[\w-]{16,32}")

R = TypeVar("R")

_changing = threading.Lock()
_ASKED_BY_A_FILE = sys.platform == "win32"
"""Windows kills a process without asking it to stop."""


class Stop(Protocol):
    """Tells a job that it was asked to stop."""

    asked: bool
    gently: bool
    """Set by a job that checks `asked` regularly; otherwise KeyboardInterrupt stops it wherever it is."""


@dataclass(frozen=True)
class Kind(Generic[R]):
    """What all jobs of a kind have in common."""

    name: str
    """The kind in config.json."""
    request: type[R]
    """A frozen dataclass of plain values."""
    place: str = "*"
    """The pattern of this kind's jobs below the folder that they are kept in."""
    at_once: Callable[[], int] = lambda: 1
    """How many jobs of this kind may run at the same time in a folder."""
    hint: str = ""
    """An alternative to suggest when no more may run."""
    renamed: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Name of a field in requests of earlier versions → its name today."""
    earlier: Callable[[Path], tuple[R | None, Status | None] | None] = lambda folder: None
    """Reads a folder of an earlier version, in which config.json names no kind: the request, and the status if
    status.json has none. None if there is no such job. May raise FerError, TypeError or ValueError."""


@dataclass(frozen=True, eq=False)
class JobView(Generic[R]):
    """A job as it is on disk at one moment."""

    folder: Path
    state: str
    """A state of `fer.jobs.status`."""
    request: R | None
    """None if it cannot be read."""
    status: Status
    created: float
    """Seconds since 1970."""

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.folder.name

    @property
    def active(self) -> bool:
        """Whether its process is running."""
        return self.state in (STARTING, RUNNING)

    @property
    def can_resume(self) -> bool:
        """Whether there is work left that nobody is doing."""
        return self.request is not None and self.state in (STOPPED, INTERRUPTED, FAILED)

    @property
    def message(self) -> str:
        """Why it failed or cannot be read, or the last output of a process that never wrote a status."""
        if self.state == INTERRUPTED and not (self.status.time or self.status.message):
            return log_tail(self.folder, 1).removeprefix("error: ")
        return self.status.message


def create(folder: Path, kind: Kind[R], request: R) -> None:
    """Create the folder of a job, without starting it.

    Raises:
        JobError: the folder exists already, or cannot be written to.
    """
    with file_errors(f"{folder.name} cannot be saved", JobError):
        folder.mkdir(parents=True)
        write_request(folder, kind, request)


def new_job(place: Path, kind: Kind[R], request: R) -> Path:
    """Create the folder of a job, with a random name, and return it.

    Raises:
        JobError: it cannot be created.
    """
    folder = place / secrets.token_urlsafe(16)
    create(folder, kind, request)
    return folder


def write_request(folder: Path, kind: Kind[R], request: R) -> None:
    """Write a request into an existing folder.

    Raises:
        OSError: it cannot be written.
    """
    values = {field.name: getattr(request, field.name) for field in fields(request)}  # type: ignore[arg-type]
    write_record(folder / CONFIG_NAME, {"kind": kind.name, **values})


def kind_of(folder: Path) -> str | None:
    """Return the name of a job's kind; None if the folder does not say."""
    name = (read_record(folder / CONFIG_NAME, dict[str, Any]) or {}).get("kind")
    return name if isinstance(name, str) else None


def read_request(folder: Path, kind: Kind[R]) -> R:
    """Read the request of a job.

    Raises:
        JobError: the file is missing, damaged, of a later version, or requests something else.
    """
    found = _read(folder, kind)
    if found[0] is None:
        raise JobError(f"expected the settings of the {kind.name} in {folder}, found only its result.")
    return found[0]


def _read(folder: Path, kind: Kind[R]) -> tuple[R | None, Status | None]:
    """Return the request and, in folders of an earlier version, the status."""
    path, name = folder / CONFIG_NAME, kind_of(folder)
    try:
        if name == kind.name:
            values = plain_of(read_bytes(path))
            del values["kind"]
            values = {kind.renamed.get(name, name): value for name, value in values.items()}
            # An unknown field is a request of a later version, which must not be ignored.
            return from_plain(values, kind.request, exact=True), None
        found = None if name else kind.earlier(folder)
    except (OSError, ValueError, TypeError, FerError) as error:
        raise JobError(f"expected the settings of the {kind.name} in {path}: {error}.") from error
    if found is None:
        raise JobError(f"expected the settings of the {kind.name} in {path}, found {name or 'nothing'}.")
    return found


def view(folder: Path, kind: Kind[R]) -> JobView[R]:
    """Read the state of a job. Never fails: a job that cannot be read is damaged."""
    found, status, problem = None, read_status(folder), ""
    state = _state(folder, status)
    try:
        found = _read(folder, kind)
        if found[1] and status is None and state != STARTING:
            state, status = found[1].state, found[1]
    except JobError as error:
        problem = str(error)
    if status is None and state == INTERRUPTED and changed_ns(folder / STATUS_NAME):
        status = Status(
            INTERRUPTED, f"expected the state of the job in {STATUS_NAME}, which cannot be read. Resume it."
        )
    if problem and state not in (STARTING, RUNNING):
        state, status = DAMAGED, Status(DAMAGED, problem)
    created = (changed_ns(folder / CONFIG_NAME) or changed_ns(folder)) / 1e9
    return JobView(folder, state, found[0] if found else None, status or Status(state), created)


def find(parent: Path, job_id: str, kind: Kind[R]) -> JobView[R] | None:
    """Return the job with an unguessable ID, which is untrusted input; None if there is no such job."""
    return view(parent / job_id, kind) if _ID.fullmatch(job_id) and (parent / job_id).is_dir() else None


def views(parent: Path, kind: Kind[R], without: Container[str] = ()) -> list[JobView[R]]:
    """Return the jobs of a kind in a folder but those `without`, by ID: running ones first, then the newest."""
    folders = [folder for folder in parent.glob(kind.place) if folder.name not in without]
    found = [view(folder, kind) for folder in folders if folder.is_dir() and _is_of(folder, kind)]
    return sorted(found, key=lambda seen: (not seen.active, -seen.created, seen.name))


def _is_of(folder: Path, kind: Kind[R]) -> bool:
    """Whether a folder is a job of this kind, or may be a damaged one."""
    name = kind_of(folder)
    if name is not None or changed_ns(folder / CONFIG_NAME):
        return name in (kind.name, None)
    with contextlib.suppress(OSError):  # access is denied
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
    # A job started from the command line has its lock before this status; checking earlier could lock it out.
    return INTERRUPTED if status.state == RUNNING and not alive and not is_locked(folder) else status.state


def start(folder: Path, kind: Kind[R], threads: int | None = None, among: Sequence[JobView[R]] = ()) -> None:
    """Start or resume a job in a process of its own.

    The kind limits how many of the jobs `among` may run at the same time. By default it gets all CPU threads but one,
    which is left to the pages.

    Raises:
        JobError: it is running already, has finished or is damaged, others are running, or no process can be started.
    """
    with _changing:
        seen = view(folder, kind)
        if not seen.can_resume:
            raise JobError(f"expected a job that was stopped or interrupted, but {seen.name} is {seen.state}.")
        check_free(kind, among)
        with file_errors(f"{folder.name} cannot be started", JobError):
            (folder / STATUS_NAME).unlink(missing_ok=True)  # the status of an earlier process is out of date
            command = [sys.executable, *WORKER, str(folder), "--threads", str(threads or spare_threads())]
            write_record(folder / PROCESS_NAME, start_process(command, folder / LOG_NAME))


def check_free(kind: Kind[R], among: Sequence[JobView[R]]) -> None:
    """Raise JobError if as many jobs as allowed are running, without saying which."""
    allowed = kind.at_once()
    if sum(view(seen.folder, kind).active for seen in among) >= allowed:
        raise JobError(
            f"another {kind.name} is running, and this machine runs at most {allowed} at once. Stop it, or wait until "
            f"it ends{f'; {kind.hint}' if kind.hint else ''}."
        )


def stop(folder: Path, kind: Kind[R], patience_seconds: float = 20.0) -> None:
    """Ask a job to stop, and kill it if it does not; what is done is kept, and `start` resumes it.

    Raises:
        JobError: the process belongs to another user.
    """
    mark, status = read_record(folder / PROCESS_NAME, ProcessMark), read_status(folder)
    if status and not (mark and mark.is_alive()) and is_locked(folder):  # started from the command line
        mark = mark_of(status.pid)
    if mark is None or not mark.is_alive():
        return
    with file_errors(f"{folder.name} cannot be stopped", JobError):
        ask = (lambda _: (folder / STOP_NAME).touch()) if _ASKED_BY_A_FILE else psutil.Process.terminate
        end_process(mark, patience_seconds, ask)
    seen = view(folder, kind)
    if seen.state == INTERRUPTED:  # it was killed before it could write its status
        with contextlib.suppress(OSError):
            reporter = Reporter(folder)
            reporter.status = seen.status
            reporter.set(STOPPED)


def delete(folder: Path, kind: Kind[R]) -> None:
    """Delete a job with everything in its folder.

    Raises:
        JobError: it is running, or the system refuses.
    """
    with _changing:
        check_still(folder, kind)
        with file_errors(f"{folder.name} cannot be deleted", JobError):  # also where the folder is a link
            shutil.rmtree(folder)


def check_still(folder: Path, kind: Kind[R]) -> None:
    """Raise JobError if a job is running."""
    if view(folder, kind).active:
        raise JobError(f"{folder.name} is running. Stop it first.")


def safe_name(name: str) -> str:
    """Return a visitor's name of a file or folder, made safe to use in a path; empty if nothing is left."""
    safe = re.sub(r"[^\w .()-]+", "-", name).strip(" .")
    return f"_{safe}" if is_refused_by_windows(safe) else safe


def log_tail(folder: Path, lines: int = 12) -> str:
    """Return the last lines of a job's log."""
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
    """Keep other processes out of a job's folder; the system releases the lock when this process ends, however it ends.

    Raises:
        JobError: another process holds it.
    """
    try:
        # Checking whether the lock is held takes it for a moment.
        with FileLock(folder / LOCK_NAME, timeout=patience_seconds):
            yield
    except Timeout as error:
        raise JobError(f"another process is working in {folder}. Wait for it, or stop it.") from error


def is_locked(folder: Path) -> bool:
    """Whether a living process is working in a folder."""
    try:
        if (folder / LOCK_NAME).exists():
            with locked(folder, 0):
                pass
    except JobError:
        return True
    except OSError:  # it belongs to another user, or cannot be written to
        return False
    return False


@contextmanager
def _heeding(folder: Path) -> Iterator[None]:
    """Treat the stop file as SIGTERM, on systems without that signal."""
    over = threading.Event()

    def heed() -> None:
        while not over.wait(0.2):
            if (folder / STOP_NAME).exists():
                (folder / STOP_NAME).unlink()
                _thread.interrupt_main(signal.SIGTERM)

    if _ASKED_BY_A_FILE:
        (folder / STOP_NAME).unlink(missing_ok=True)  # meant for an earlier process
        threading.Thread(target=heed, daemon=True, name=f"heed {folder.name}").start()
    try:
        yield
    finally:
        over.set()


@contextmanager
def working(folder: Path, watcher: Watcher | None = None) -> Iterator[Reporter]:
    """Work on a job in this process: lock it, and write its status at the end. A full disk stops it.

    Work that stops early calls `reporter.set(STOPPED)`; a state that is still "running" becomes "finished".

    Raises:
        JobError: another process is working in the folder.
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
