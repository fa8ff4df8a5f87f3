"""The store of results: a folder that several processes share and that survives crashes.

FOLDER/results.sqlite     a row for each result, see `fer.results.database`
       files/ID/          result.json, thumbnail.webp, faces/0001.webp, …, and picture.* if pictures are kept
       damaged-…/         a database that could not be read, with its files

Files are written before their row, in one transaction that blocks other writers. So files without a row were left by a
crash; they are removed when the store is opened.
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
"""Deleted results are removed for good a little later than the page says, so that a click at the last moment counts."""
SILENT_SECONDS = 60.0
"""A recording updates its row at least this often; if it does not, its process has died."""
NOTICE_DAYS = 90
_LONGEST_NAME = 200
_DAY = 24 * 3600.0
_FITS = "deleted_at IS NULL AND file_bytes + job_bytes <= ?"
"""The results that count toward the limit, which is the parameter: a single result larger than it does not."""

T = TypeVar("T")


class ResultStore:
    """The store of results. Any number of threads and processes may use the same folder at the same time.

    All methods raise ResultsError if the database or the disk fails. Those with an `owner` only see this owner's
    results.
    """

    def __init__(
        self,
        folder: Path,
        forget: Callable[[Result], object] = lambda result: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Open or create the store, and remove the leftovers of crashes.

        Args:
            folder: the folder, created if it does not exist.
            forget: called before a result is removed for good, to remove the folder of its job. If it raises FerError,
                the result stays until the next `sweep`.
            clock: returns seconds since 1970.
        """
        self._database = Database(folder)
        self._files = folder / FILES_NAME
        self._forget, self._clock = forget, clock
        with self._database.writing() as database:  # keeps others from adding results
            known = {row["id"] for row in database.execute("SELECT id FROM results")}
            for left in self._files.iterdir():
                if left.name not in known:
                    remove_content(left)

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
        """Keep a result, and remove the oldest ones if the limit is exceeded; see `Result` for the arguments.

        A result of the same owner and source is updated instead and keeps its name; if it was just deleted, it is
        restored.

        Returns:
            the result; None if the settings keep nothing.
        """
        if kind not in KINDS:
            raise ResultsError(f"expected one of {', '.join(KINDS)}, found {kind!r}.")
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
        """Change the given fields of a result. Unless only `job_bytes` is given, `changed` becomes the current time.

        Raises:
            ResultsError: also if there is no such result.
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
        """Rename a result.

        Raises:
            ResultsError: also if there is no such result, or the name is empty.
        """
        return self._set(result_id, owner, name=_valid(name))

    def share(self, result_id: str, owner: str) -> str:
        """Return the token that opens a result for anybody who has it; an existing token stays.

        Raises:
            ResultsError: also if there is no such result.
        """
        with self._database.writing() as database:
            result = owned(database, result_id, owner)
            token = result.token or secrets.token_urlsafe(16)
            keep_row(database, replace(result, token=token))
        return token

    def revoke(self, result_id: str, owner: str) -> Result:
        """Revoke the token of a result.

        Raises:
            ResultsError: also if there is no such result.
        """
        return self._set(result_id, owner, token=None)

    def delete(self, ids: Collection[str], owner: str) -> int:
        """Delete results and return how many; `undo` can restore them for `GONE_SECONDS`."""
        return self._mark(ids, owner, "deleted_at IS NULL", self._clock())

    def undo(self, ids: Collection[str], owner: str) -> int:
        """Restore results that were just deleted, and return how many."""
        return self._mark(ids, owner, f"deleted_at > {self._clock() - GONE_SECONDS!r}", None)

    def deleted(self, owner: str) -> Sequence[Result]:
        """Return the results that an owner deleted in the last `UNDO_SECONDS`, the earliest first."""
        query = "SELECT * FROM results WHERE owner = ? AND deleted_at > ? ORDER BY deleted_at"
        with self._database.reading() as database:
            return [result_of(row) for row in database.execute(query, (owner, self._clock() - UNDO_SECONDS))]

    def get(self, result_id: str, owner: str) -> Result | None:
        """Return a result; None if there is none."""
        with self._database.reading() as database:
            return found(database, result_id, owner)

    def those(self, ids: Collection[str], owner: str) -> Sequence[Result]:
        """Return those of an owner's results that have one of some IDs, the newest first."""
        query = f"SELECT * FROM results WHERE owner = ? AND deleted_at IS NULL AND id IN ({_marks(ids)})"
        with self._database.reading() as database:
            return [result_of(row) for row in database.execute(f"{query} ORDER BY changed DESC, id", (owner, *ids))]

    def of_job(self, job: str) -> Result | None:
        """Return the result of a job, of any owner and even if deleted; None if there is none."""
        with self._database.reading() as database:
            row = database.execute("SELECT * FROM results WHERE job = ? AND job <> ''", (job,)).fetchone()
        return result_of(row) if row else None

    def jobs(self) -> Set[str]:
        """Return the jobs of all results, of all owners and including deleted ones."""
        with self._database.reading() as database:
            return {row["job"] for row in database.execute("SELECT job FROM results WHERE job <> ''")}

    def going(self) -> Sequence[Result]:
        """Return the results of all owners whose jobs are still running, according to their rows."""
        query = "SELECT * FROM results WHERE job <> '' AND state = ? AND deleted_at IS NULL"
        with self._database.reading() as database:
            return [result_of(row) for row in database.execute(query, (RUNNING,))]

    def ended(self) -> Sequence[Result]:
        """Return the results of all owners that will not change any more: complete, or interrupted without a job."""
        query = "SELECT * FROM results WHERE deleted_at IS NULL AND (state = ? OR (state = ? AND job = ''))"
        with self._database.reading() as database:
            return [result_of(row) for row in database.execute(query, (COMPLETE, INTERRUPTED))]

    def open_shared(self, token: str) -> Result | None:
        """Return the result that a token opens, or None. The token is untrusted input."""
        with self._database.reading() as database:
            query = "SELECT * FROM results WHERE token = ? AND deleted_at IS NULL"
            row = database.execute(query, (token,)).fetchone()
        return result_of(row) if row else None

    def list(
        self, owner: str, query: str = "", kinds: Collection[str] = KINDS, limit: int = 25, offset: int = 0
    ) -> Page:
        """Return some of an owner's results, the newest first.

        Args:
            owner: the owner.
            query: words that must all occur in the name, the kind, the model, the names of people or the expressions.
            kinds: some of `KINDS`.
            limit: the maximum number of results.
            offset: how many results to skip.
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
        """Return the storage that an owner's results use."""
        query = (
            "SELECT count(*), coalesce(sum(file_bytes + job_bytes), 0) FROM results "
            "WHERE owner = ? AND deleted_at IS NULL"
        )
        with self._database.reading() as database:
            return Usage(*database.execute(query, (owner,)).fetchone())

    def record(self, result: Result, kind: type[T]) -> T | None:
        """Return the record of a result; None if it is missing, damaged, or of another kind."""
        return read_record(self.folder(result) / RECORD_NAME, kind)

    def thumbnail(self, result: Result) -> Path | None:
        """Return the thumbnail of a result, WebP; None if there is none."""
        path = self.folder(result) / THUMBNAIL_NAME
        return path if path.is_file() else None

    def faces(self, result: Result) -> Sequence[Path]:
        """Return the crops of the faces, WebP, in the order of the record."""
        return face_files(self.folder(result))

    def picture(self, result: Result) -> Path | None:
        """Return the picture itself; None if it was not kept."""
        return picture_file(self.folder(result))

    def folder(self, result: Result) -> Path:
        """Return the folder of a result's files. After adding files to it, call `update` to record the size."""
        return self._files / result.id

    @property
    def settings(self) -> Settings:
        """What is kept, and for how long. New limits apply at once, a new `keep` to results added from then on."""
        with self._database.reading() as database:
            row = database.execute("SELECT value FROM settings").fetchone()
        try:
            return from_json(row["value"], Settings) if row else Settings()
        except ValueError as error:
            raise ResultsError(f"expected settings in the database of results: {error}. Save them again.") from error

    @settings.setter
    def settings(self, settings: Settings) -> None:
        with self._database.writing() as database:
            database.execute("INSERT OR REPLACE INTO settings (only, value) VALUES (1, ?)", (to_json(settings, 0),))
        self.sweep()

    def sweep(self, now: float | None = None) -> Sequence[Result]:
        """Remove deleted and expired results for good, and the oldest ones if the limit is exceeded.

        Remote visitors share storage of the same size as the owner's. When it is full, the oldest results of those who
        use most are removed first, see `fair_share`, so nobody loses results to somebody who uses more.

        Results that were not deleted by their owner leave one of the `notices`. Results of running work do not expire,
        and are not removed for space within a day of their last change. A single result larger than the limit stays and
        does not count toward it.

        Args:
            now: seconds since 1970; None for the current time.

        Returns:
            the removed results.
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
            expired = now - settings.expiry_days * _DAY if settings.expiry_days else 0.0
            old = database.execute("SELECT 1 FROM labels WHERE time < ?", (expired,)).fetchone()
        if silent or old:
            with self._database.writing() as database:
                database.execute(
                    "UPDATE results SET state = ? WHERE state = ? AND job = '' AND changed < ?",
                    (INTERRUPTED, RUNNING, now - SILENT_SECONDS),
                )
                database.execute("DELETE FROM labels WHERE time < ?", (expired,))
        return [result for result, why in going.values() if self._remove(result, why, now)]

    def labels(self, owner: str) -> dict[str, str]:
        """Return the labels that somebody gave to faces, by `face_key`."""
        with self._database.reading() as database:
            return dict(map(tuple, database.execute("SELECT face, label FROM labels WHERE owner = ?", (owner,))))

    def set_label(self, owner: str, face: str, label: str | None) -> None:
        """Keep the label that somebody gave to a face, by its `face_key`; None removes it. It expires like results."""
        if label and self.settings.keep == NOTHING:
            return
        with self._database.writing() as database:
            database.execute("DELETE FROM labels WHERE owner = ? AND face = ?", (owner, face))
            if label:
                database.execute("INSERT INTO labels VALUES (?, ?, ?, ?)", (owner, face, label, self._clock()))

    def notices(self, owner: str) -> Sequence[Notice]:
        """Return the notices of results that were removed automatically, the latest first, until they are dismissed."""
        query = "SELECT name, kind, time, why FROM notices WHERE owner = ? ORDER BY time DESC"
        with self._database.reading() as database:
            return [Notice(*row) for row in database.execute(query, (owner,))]

    def dismiss(self, owner: str) -> None:
        """Delete an owner's notices."""
        with self._database.writing() as database:
            database.execute("DELETE FROM notices WHERE owner = ?", (owner,))

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
        """Write the files of a result, then its row; if that fails, a new result leaves no files behind."""
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
                raise ResultsError(f"{result.name} cannot be kept: {error}. Free some disk space.") from error
            raise
        return written

    def _remove(self, result: Result, why: str, now: float) -> bool:
        """Remove a result for good and return True, unless it was restored, changed or removed in the meantime."""
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
    """Return the reasons for removal, each with its query and parameters; `share_bytes` is each visitor's share."""
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
    """Return how much storage each remote visitor may use, as they share the limit."""
    query = f"SELECT sum(file_bytes + job_bytes) FROM results WHERE owner <> '' AND {_FITS} GROUP BY owner"
    used = database.execute(query, (settings.limit_bytes,))
    return fair_share((row[0] for row in used), settings.limit_bytes)


def fair_share(used: Iterable[float], room: float) -> float:
    """Return how much each may use so that all together use at most `room`.

    What somebody leaves of an equal share goes to the others, so only those who use most have to make room.
    """
    left, wanted = room, sorted(used, reverse=True)
    while wanted and wanted[-1] <= left / len(wanted):
        left -= wanted.pop()
    return left / len(wanted) if wanted else room


def _valid(name: str) -> str:
    """Return a name on one line, without unprintable characters."""
    kept = printable(" ".join(name.split()))[:_LONGEST_NAME]
    if not kept:
        raise ResultsError("expected a name, found none. Enter one.")
    return kept


def _marks(values: Collection[object]) -> str:
    return ", ".join("?" * len(values))
