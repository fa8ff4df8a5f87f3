"""Where everything that was analyzed is kept until its owner says otherwise: one folder, which survives a crash.

FOLDER/results.sqlite     a row for each result, see `fer.results.database`
       files/ID/          result.json, thumbnail.webp, faces/001.webp, …, and picture.* where pictures are kept
       damaged-…/         a database that could not be read, with its files

Files are written first, the row last, in one transaction that other writers wait for. So files without a row are what
a crash has left; they go when the store is opened.
"""

import secrets
import time
from collections.abc import Callable, Collection, Iterable, Sequence, Set
from dataclasses import replace
from pathlib import Path
from sqlite3 import Connection
from typing import Any, TypeVar

from fer.errors import FerError, ResultsError
from fer.names import printable
from fer.records import from_json, read_record, to_json
from fer.results.content import (
    RECORD_NAME,
    THUMBNAIL_NAME,
    Content,
    face_files,
    picture_file,
    remove_content,
    write_content,
)
from fer.results.database import FILES_NAME, Database, found, keep_row, owned, result_of
from fer.results.result import (
    COMPLETE,
    INTERRUPTED,
    KINDS,
    NO_ROOM,
    NOTHING,
    PICTURES,
    RUNNING,
    TOO_OLD,
    Figures,
    Notice,
    Page,
    Result,
    Settings,
    Usage,
)

UNDO_SECONDS = 10.0
GONE_SECONDS = UNDO_SECONDS + 5
"""What was deleted goes for good a little later than is said, so that a press at the last moment counts."""
SILENT_SECONDS = 60.0
"""What is recorded says so at least as often; else whoever recorded is gone."""
NOTICE_DAYS = 90
_LONGEST_NAME = 200
_DAY = 24 * 3600.0
_FITS = "deleted_at IS NULL AND file_bytes + job_bytes <= ?"
"""What takes room from others: a result that alone is larger than the limit, which is given, does not."""

T = TypeVar("T")


class ResultStore:
    """Everything that was analyzed. Any number of threads and processes may use the same folder at once.

    All methods raise ResultsError where the database or the disk fails them. Those with an owner see only what is
    theirs: to them, what is somebody else's does not exist.
    """

    def __init__(
        self,
        folder: Path,
        forget: Callable[[Result], object] = lambda result: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Open it, or make it, and remove what a crash has left.

        Args:
            folder: is made if there is none.
            forget: is called before a result goes for good, to remove what lies elsewhere: a job's folder. If it
                raises FerError, the result stays until the next `sweep`.
            clock: seconds since 1970.
        """
        self._database = Database(folder)
        self._files = folder / FILES_NAME
        self._forget, self._clock = forget, clock
        with self._database.writing() as database:  # nobody adds anything meanwhile
            known = {row["id"] for row in database.execute("SELECT id FROM results")}
            for left in self._files.iterdir():
                if left.name not in known:
                    remove_content(left)

    # What is added and changed

    def add(
        self,
        owner: str,
        kind: str,
        name: str,
        *,
        content: Content | None = None,
        state: str = COMPLETE,
        model: str = "",
        model_sha: str = "",
        figures: Figures | None = None,
        people: Sequence[str] = (),
        source: str = "",
        job: str = "",
    ) -> Result | None:
        """Keep a result, and remove the oldest ones if there is no room any more; see `Result` for the arguments.

        Where there is one of the same owner and source, it is updated and, if it was just deleted, comes back; it
        keeps its name.

        Returns:
            the result; None where nothing is to be kept.
        """
        if kind not in KINDS:
            raise ResultsError(f"expected one of {', '.join(KINDS)}, got {kind!r}.")
        now, settings = self._clock(), self.settings
        if settings.keep == NOTHING:
            return None
        made = Result(secrets.token_urlsafe(16), owner, kind, _valid(name), now, now, state, source=source, job=job)
        with self._database.writing() as database:
            same = "SELECT * FROM results WHERE owner = ? AND source = ? AND source <> ''"
            row = database.execute(same, (owner, source)).fetchone()
            base = replace(result_of(row), deleted_at=None, changed=now, state=state, job=job) if row else made
            given: dict[str, Any] = {
                "model": model,
                "model_sha": model_sha,
                "figures": figures or Figures(),
                "people": tuple(people),
            }
            kept = self._write(database, replace(base, **given), content, settings.keep)
        self.sweep()
        return kept

    def update(
        self,
        result_id: str,
        owner: str,
        *,
        content: Content | None = None,
        state: str | None = None,
        figures: Figures | None = None,
        people: Sequence[str] | None = None,
        job_bytes: int | None = None,
    ) -> Result:
        """Change what is given of a result. It counts as found now, but where it is only larger or smaller.

        A recording does so as it grows.

        Raises:
            ResultsError: besides, there is no such result.
        """
        given: dict[str, Any] = {"state": state, "figures": figures, "job_bytes": job_bytes}
        changes = {name: value for name, value in given.items() if value is not None}
        if people is not None:
            changes["people"] = tuple(people)
        if content is not None or changes.keys() - {"job_bytes"}:
            changes["changed"] = self._clock()
        keep = self.settings.keep
        with self._database.writing() as database:
            result = replace(owned(database, result_id, owner), **changes)
            return self._write(database, result, content, keep)

    def rename(self, result_id: str, owner: str, name: str) -> Result:
        """Give a result another name.

        Raises:
            ResultsError: besides, there is no such result, or the name is empty.
        """
        return self._set(result_id, owner, name=_valid(name))

    def share(self, result_id: str, owner: str) -> str:
        """Return the token that opens a result for whoever has it; one that it has already stays.

        Raises:
            ResultsError: besides, there is no such result.
        """
        with self._database.writing() as database:
            result = owned(database, result_id, owner)
            token = result.token or secrets.token_urlsafe(16)
            keep_row(database, replace(result, token=token))
        return token

    def revoke(self, result_id: str, owner: str) -> Result:
        """Let the token of a result open nothing any more.

        Raises:
            ResultsError: besides, there is no such result.
        """
        return self._set(result_id, owner, token=None)

    def delete(self, ids: Collection[str], owner: str) -> int:
        """Delete results; they can come back for `GONE_SECONDS`, then they are gone for good. Return how many."""
        return self._mark(ids, owner, "deleted_at IS NULL", self._clock())

    def undo(self, ids: Collection[str], owner: str) -> int:
        """Bring back results that were just deleted, and return how many."""
        return self._mark(ids, owner, f"deleted_at > {self._clock() - GONE_SECONDS!r}", None)

    # What is read

    def get(self, result_id: str, owner: str) -> Result | None:
        """Return a result; None where there is none."""
        with self._database.reading() as database:
            return found(database, result_id, owner)

    def of_job(self, job: str) -> Result | None:
        """Return the result that a job makes, whosever it is, deleted ones too; None where there is none."""
        with self._database.reading() as database:
            row = database.execute("SELECT * FROM results WHERE job = ? AND job <> ''", (job,)).fetchone()
        return result_of(row) if row else None

    def jobs(self) -> Set[str]:
        """Return the jobs of all results, whosever they are, deleted ones too."""
        with self._database.reading() as database:
            return {row["job"] for row in database.execute("SELECT job FROM results WHERE job <> ''")}

    def going(self) -> Sequence[Result]:
        """Return the results that jobs are to make, as far as anybody has said, whosever they are."""
        query = "SELECT * FROM results WHERE job <> '' AND state = ? AND deleted_at IS NULL"
        with self._database.reading() as database:
            return [result_of(row) for row in database.execute(query, (RUNNING,))]

    def ended(self) -> Sequence[Result]:
        """Return the results that are complete, or will never be, whosever they are."""
        query = "SELECT * FROM results WHERE deleted_at IS NULL AND (state = ? OR (state = ? AND job = ''))"
        with self._database.reading() as database:
            return [result_of(row) for row in database.execute(query, (COMPLETE, INTERRUPTED))]

    def open_shared(self, token: str) -> Result | None:
        """Return the result that a token opens; None where it opens none. The token may come from anybody."""
        with self._database.reading() as database:
            query = "SELECT * FROM results WHERE token = ? AND deleted_at IS NULL"
            row = database.execute(query, (token,)).fetchone()
        return result_of(row) if row else None

    def list(
        self, owner: str, query: str = "", kinds: Collection[str] = KINDS, limit: int = 25, offset: int = 0
    ) -> Page:
        """Return a part of somebody's results, the newest first.

        Args:
            owner: whose.
            query: words; each stands in a name, a kind, the name of a person who was seen, or an expression.
            kinds: of `KINDS`.
            limit: how many at most.
            offset: how many are left out before.
        """
        words = query.casefold().split()
        where = " AND ".join(
            ["owner = ?", "deleted_at IS NULL", f"kind IN ({_marks(kinds)})", *["instr(words, ?) > 0"] * len(words)]
        )
        given = [owner, *kinds, *words]
        with self._database.reading() as database:
            total = database.execute(f"SELECT count(*) FROM results WHERE {where}", given).fetchone()[0]
            rows = database.execute(
                f"SELECT * FROM results WHERE {where} ORDER BY changed DESC, id LIMIT ? OFFSET ?",
                [*given, limit, offset],
            ).fetchall()
        return Page(tuple(map(result_of, rows)), total)

    def usage(self, owner: str) -> Usage:
        """Return how much room somebody's results take."""
        query = (
            "SELECT count(*), coalesce(sum(file_bytes + job_bytes), 0) FROM results "
            "WHERE owner = ? AND deleted_at IS NULL"
        )
        with self._database.reading() as database:
            return Usage(*database.execute(query, (owner,)).fetchone())

    def record(self, result: Result, kind: type[T]) -> T | None:
        """Return what was kept to show a result again; None where it is missing, damaged, or of another kind."""
        return read_record(self.folder(result) / RECORD_NAME, kind)

    def thumbnail(self, result: Result) -> Path | None:
        """Return the picture that stands for a result, WebP; None where there is none."""
        path = self.folder(result) / THUMBNAIL_NAME
        return path if path.is_file() else None

    def faces(self, result: Result) -> Sequence[Path]:
        """Return the crops of the faces, WebP, in the order of the record."""
        return face_files(self.folder(result))

    def picture(self, result: Result) -> Path | None:
        """Return the picture itself; None where it was not kept."""
        return picture_file(self.folder(result))

    def folder(self, result: Result) -> Path:
        """Return where the files of a result lie. Who adds to them says so with `update`, for the sake of the size."""
        return self._files / result.id

    # What is kept, and until when

    @property
    def settings(self) -> Settings:
        """What is kept, and until when; set anew, the limit and the days hold at once, the rest for what is added."""
        with self._database.reading() as database:
            row = database.execute("SELECT value FROM settings").fetchone()
        try:
            return from_json(row["value"], Settings) if row else Settings()
        except ValueError as error:
            raise ResultsError(f"expected settings in the database of results: {error}. Set them anew.") from error

    @settings.setter
    def settings(self, settings: Settings) -> None:
        with self._database.writing() as database:
            database.execute("INSERT OR REPLACE INTO settings (only, value) VALUES (1, ?)", (to_json(settings, 0),))
        self.sweep()

    def sweep(self, now: float | None = None) -> Sequence[Result]:
        """Remove for good what was deleted, what is too old, and the oldest of what there is no room for.

        Visitors from elsewhere share a room as large as the owner's. When it is full, the oldest of whoever uses most
        go first, see `fair_share`: nobody's results push out those of somebody who has fewer.

        Whatever went without being deleted by somebody is said by `notices`. What goes on does not become too
        old, and what was found of it within a day is not removed for want of room. A result that alone is larger than
        all the room stays, and takes none from others.

        Args:
            now: seconds since 1970; None: as the clock says.

        Returns:
            what went.
        """
        now, settings = self._clock() if now is None else now, self.settings
        with self._database.reading() as database:
            silent = database.execute(
                "SELECT 1 FROM results WHERE state = ? AND job = '' AND changed < ?", (RUNNING, now - SILENT_SECONDS)
            ).fetchone()
            going = dict[str, tuple[Result, str]]()
            for why, query, given in _due(settings, now, _share_bytes(database, settings)):
                rows = database.execute(query, given).fetchall()
                going |= {row["id"]: (result_of(row), why) for row in rows if row["id"] not in going}
        if silent:
            with self._database.writing() as database:
                database.execute(
                    "UPDATE results SET state = ? WHERE state = ? AND job = '' AND changed < ?",
                    (INTERRUPTED, RUNNING, now - SILENT_SECONDS),
                )
        gone = [result for result, why in going.values() if self._remove(result, why, now)]
        return gone

    def notices(self, owner: str) -> Sequence[Notice]:
        """Return what went without being deleted by its owner, the latest first, until it is dismissed."""
        query = "SELECT name, kind, time, why FROM notices WHERE owner = ? ORDER BY time DESC"
        with self._database.reading() as database:
            return [Notice(*row) for row in database.execute(query, (owner,))]

    def dismiss(self, owner: str) -> None:
        """Forget the notices that somebody has read."""
        with self._database.writing() as database:
            database.execute("DELETE FROM notices WHERE owner = ?", (owner,))

    # How

    def _set(self, result_id: str, owner: str, **changes: Any) -> Result:
        with self._database.writing() as database:
            result = replace(owned(database, result_id, owner), **changes)
            keep_row(database, result)
        return result

    def _mark(self, ids: Collection[str], owner: str, where: str, deleted_at: float | None) -> int:
        change = f"UPDATE results SET deleted_at = ? WHERE owner = ? AND id IN ({_marks(ids)}) AND {where}"
        with self._database.writing() as database:
            return database.execute(change, (deleted_at, owner, *ids)).rowcount

    def _write(self, database: Connection, result: Result, content: Content | None, keep: str) -> Result:
        """Write the files of a result, and then its row; a new result leaves no file if that fails."""
        folder = self.folder(result)
        is_new = not folder.exists()
        try:
            size = write_content(folder, content or Content(), keep == PICTURES)
            written = replace(result, file_bytes=size)
            keep_row(database, written)
        except BaseException as error:
            if is_new:
                remove_content(folder)
            if isinstance(error, OSError):
                raise ResultsError(f"{result.name} cannot be kept: {error}. Make room on the disk.") from error
            raise
        return written

    def _remove(self, result: Result, why: str, now: float) -> bool:
        """Remove a result for good, unless it came back, changed or is not to be had meanwhile; return whether."""
        same = "FROM results WHERE id = ? AND changed = ? AND deleted_at IS ?"
        given = result.id, result.changed, result.deleted_at
        with self._database.reading() as database:
            if not database.execute(f"SELECT 1 {same}", given).fetchone():
                return False
        try:
            self._forget(result)
        except FerError:  # a job that cannot be stopped; the next sweep tries again
            return False
        with self._database.writing() as database:
            went = database.execute(f"DELETE {same}", given).rowcount > 0
            if went and why:
                note = (result.owner, result.name, result.kind, now, why)
                database.execute("INSERT INTO notices (owner, name, kind, time, why) VALUES (?, ?, ?, ?, ?)", note)
                database.execute("DELETE FROM notices WHERE time < ?", (now - NOTICE_DAYS * _DAY,))
        if went:
            remove_content(self.folder(result))
        return went


def _due(settings: Settings, now: float, share_bytes: float) -> list[tuple[str, str, tuple[object, ...]]]:
    """Return why results go, the query for them, and what that is given; `share_bytes` is the room of each visitor."""
    too_old = now - _DAY * settings.expiry_days if settings.expiry_days is not None else float("-inf")
    no_room = f"""
        SELECT * FROM (
            SELECT *, sum(file_bytes + job_bytes) OVER (PARTITION BY owner ORDER BY changed DESC, id) AS newer
            FROM results WHERE {_FITS}
        ) WHERE newer > iif(owner = '', ?, ?) AND NOT (state = ? AND changed > ?)"""
    limit = settings.limit_bytes
    return [
        ("", "SELECT * FROM results WHERE deleted_at <= ?", (now - GONE_SECONDS,)),
        (TOO_OLD, "SELECT * FROM results WHERE changed < ? AND deleted_at IS NULL AND state <> ?", (too_old, RUNNING)),
        (NO_ROOM, no_room, (limit, limit, share_bytes, RUNNING, now - _DAY)),
    ]


def _share_bytes(database: Connection, settings: Settings) -> float:
    """Return how much room each visitor from elsewhere has, as they share the limit."""
    query = f"SELECT sum(file_bytes + job_bytes) FROM results WHERE owner <> '' AND {_FITS} GROUP BY owner"
    used = database.execute(query, (settings.limit_bytes,))
    return fair_share((row[0] for row in used), settings.limit_bytes)


def fair_share(used: Iterable[float], room: float) -> float:
    """Return how much each may use so that all together use no more than the room.

    Who uses less than an equal part leaves the rest to the others; so whoever uses most makes room first.
    """
    left, wanted = room, sorted(used, reverse=True)
    while wanted and wanted[-1] <= left / len(wanted):
        left -= wanted.pop()
    return left / len(wanted) if wanted else room


def _valid(name: str) -> str:
    """Return a name as it is kept: in one line, of characters that can be written."""
    kept = printable(" ".join(name.split()))[:_LONGEST_NAME]
    if not kept:
        raise ResultsError("expected a name, got an empty one. Write one.")
    return kept


def _marks(values: Collection[object]) -> str:
    return ", ".join("?" * len(values))
