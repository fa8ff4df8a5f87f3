"""The database of results: an SQLite file that several processes read and write at the same time.

A damaged database is moved aside with its files, never deleted; one from a later version is left unchanged. It uses
WAL, so that readers never wait and committed changes survive a power failure.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import fields
from pathlib import Path

from filelock import FileLock, Timeout

from fer.errors import ResultsError
from fer.files import file_errors
from fer.records import from_json, to_json
from fer.results.result import DAMAGED, Figures, Result

DATABASE_NAME, FILES_NAME = "results.sqlite", "files"
BUSY_SECONDS = 30.0
"""How long a process waits for another one that is writing."""
_SCHEMA = (
    (
        """CREATE TABLE results (
            id TEXT PRIMARY KEY, owner TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,
            created REAL NOT NULL, changed REAL NOT NULL, state TEXT NOT NULL, model TEXT NOT NULL,
            model_sha TEXT NOT NULL, figures TEXT NOT NULL, people TEXT NOT NULL, source TEXT NOT NULL,
            job TEXT NOT NULL, job_bytes INTEGER NOT NULL, file_bytes INTEGER NOT NULL, deleted_at REAL,
            token TEXT UNIQUE, words TEXT NOT NULL)""",
        "CREATE INDEX newest ON results (owner, changed DESC, id)",
        "CREATE UNIQUE INDEX same ON results (owner, source) WHERE source <> ''",
        "CREATE TABLE settings (only INTEGER PRIMARY KEY CHECK (only = 1), value TEXT NOT NULL)",
        """CREATE TABLE notices (owner TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL, time REAL NOT NULL,
            why TEXT NOT NULL)""",
    ),
    (
        """CREATE TABLE labels (owner TEXT NOT NULL, face TEXT NOT NULL, label TEXT NOT NULL, time REAL NOT NULL,
            PRIMARY KEY (owner, face))""",
    ),
)
"""For each version, the statements that upgrade to it. Entries never change after a release; a change is a new one."""

_COLUMNS = (*(field.name for field in fields(Result)), "words")
_KEEP_ROW = (
    f"INSERT INTO results ({', '.join(_COLUMNS)}) VALUES ({', '.join(f':{name}' for name in _COLUMNS)}) "
    f"ON CONFLICT (id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _COLUMNS[1:])}"
)


class Database:
    """A folder with `DATABASE_NAME` and, beside it, `FILES_NAME`, which belongs to it."""

    def __init__(self, folder: Path) -> None:
        """Open the database, or create it.

        Raises:
            ResultsError: it cannot be opened, was damaged and moved aside, or is from a later version.
        """
        self._folder, self._path = folder, folder / DATABASE_NAME
        with file_errors(f"results cannot be kept in {folder}", ResultsError):
            folder.mkdir(parents=True, exist_ok=True)
            try:
                with FileLock(folder / ".opening.lock", timeout=BUSY_SECONDS):
                    self._prepare()
            except Timeout as error:
                raise ResultsError(
                    f"another process has been opening {folder} for {BUSY_SECONDS:.0f} s. Stop it, then try again."
                ) from error

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection for reading.

        Raises:
            ResultsError: the database cannot be read.
        """
        with self._connected() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection in a transaction, which is committed or rolled back as a whole. Writers take turns.

        Raises:
            ResultsError: the disk is full, another process keeps writing, or the database cannot be written.
        """
        with self._connected() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self._path, timeout=BUSY_SECONDS, isolation_level=None)) as connection:
                connection.row_factory = sqlite3.Row
                yield connection
        except sqlite3.Error as error:
            raise ResultsError(
                f"the results in {self._path} cannot be used: {error}. Free some disk space and check that the file is "
                "writable. Otherwise restart the app, which checks the file for damage."
            ) from error

    def _prepare(self) -> None:
        if not self._path.exists() and any((self._folder / FILES_NAME).glob("*")):
            self._set_aside("is missing, but its files exist")
        if problem := self._problem():
            self._set_aside(problem)
        self._migrate()

    def _problem(self) -> str:
        """Return what is wrong with the file, or ""."""
        try:
            with closing(sqlite3.connect(self._path, timeout=BUSY_SECONDS)) as connection:
                found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        except sqlite3.OperationalError as error:  # locked, full or inaccessible, but not damaged
            raise ResultsError(
                f"the results in {self._path} cannot be opened: {error}. Check that the file is accessible."
            ) from error
        except sqlite3.DatabaseError as error:
            return f"is damaged ({error})"
        return "" if found == "ok" else f"is damaged ({found})"

    def _set_aside(self, problem: str) -> None:
        aside = self._folder / time.strftime("damaged-%Y%m%d-%H%M%S")
        aside.mkdir()
        for path in (*self._folder.glob(f"{DATABASE_NAME}*"), self._folder / FILES_NAME):
            if path.exists():
                path.rename(aside / path.name)
        self._migrate()
        with self.writing() as database:
            note = aside.name, "", time.time(), DAMAGED
            database.execute("INSERT INTO notices (owner, name, kind, time, why) VALUES ('', ?, ?, ?, ?)", note)
        raise ResultsError(
            f"{self._path} {problem}. It was moved with all its files to {aside}, and new results go into an empty "
            "database. Restore a backup of the folder if you have one."
        )

    def _migrate(self) -> None:
        with self._connected() as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > len(_SCHEMA):
                raise ResultsError(
                    f"expected results of version {len(_SCHEMA)} or earlier in {self._path}, found version {version}. "
                    "Nothing was changed. Use a later version of this program, or set FER_RESULTS to another folder."
                )
            connection.execute("PRAGMA journal_mode = WAL")
        with self.writing() as database:
            for statement in (statement for step in _SCHEMA[version:] for statement in step):
                database.execute(statement)
            database.execute(f"PRAGMA user_version = {len(_SCHEMA)}")
        (self._folder / FILES_NAME).mkdir(mode=0o700, exist_ok=True)


def keep_row(database: sqlite3.Connection, result: Result) -> None:
    """Insert or replace the row of a result."""
    values = {field.name: getattr(result, field.name) for field in fields(Result)}
    plain = {"figures": to_json(result.figures, 0), "people": to_json(result.people, 0), "words": result.words}
    database.execute(_KEEP_ROW, values | plain)


def result_of(row: sqlite3.Row) -> Result:
    """Return the result in a row."""
    values = {field.name: row[field.name] for field in fields(Result)}
    read = {"figures": from_json(row["figures"], Figures), "people": from_json(row["people"], tuple[str, ...])}
    return Result(**values | read)


def found(database: sqlite3.Connection, result_id: str, owner: str) -> Result | None:
    """Return an owner's result; None if it does not exist or was deleted."""
    query = "SELECT * FROM results WHERE id = ? AND owner = ? AND deleted_at IS NULL"
    row = database.execute(query, (result_id, owner)).fetchone()
    return result_of(row) if row else None


def owned(database: sqlite3.Connection, result_id: str, owner: str) -> Result:
    """Return an owner's result; raise ResultsError if it does not exist or was deleted."""
    result = found(database, result_id, owner)
    if result is None:
        raise ResultsError("expected an existing result, but it has been deleted. Reload the page.")
    return result
