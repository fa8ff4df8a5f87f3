"""Several results as one ZIP: a table of all results, and a folder with the files of each."""

import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from fer.errors import ResultsError
from fer.files import file_errors, free_path
from fer.names import as_cell, is_refused_by_windows
from fer.results.content import RECORD_NAME
from fer.results.photo import PhotoRecord
from fer.results.pictures import to_csv, to_json
from fer.results.result import PHOTO, Result
from fer.results.store import ResultStore
from fer.video.notes import DRAWN_NAME, NOTES_NAME

TABLE_NAME = "results.csv"
COLUMNS = ("folder", "name", "kind", "time", "model", "faces", "pictures", "people", "seconds", "expressions")

More = Callable[[Result], Iterable[tuple[str, str | bytes | Path]]]
"""Yields further files of a result: name and content."""


def write_archive(
    store: ResultStore,
    results: Sequence[Result],
    to: IO[bytes],
    more: More = lambda result: (),
    corrected: Mapping[str, str] | None = None,
) -> None:
    """Write results to a ZIP, file by file, so that they never are in memory all at once.

    Args:
        store: the store that keeps the results.
        results: the results, in the order of the table.
        to: a file opened for writing.
        more: yields files kept elsewhere: the tables and the video of a job.
        corrected: corrected labels by `face_key`; see `to_csv`.

    Raises:
        ResultsError: the ZIP cannot be written, or a file of a result cannot be read.
    """
    rows: dict[Path, list[Any]] = {}
    with (
        file_errors("the results cannot be exported", ResultsError),
        zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for result in results:
            folder = free_path(Path(_safe(result.name)), rows.__contains__)
            rows[folder] = _row(folder, result)
            for name, content in (*_own_files(store, result, corrected), *more(result)):
                place = f"{folder}/{name}"
                if isinstance(content, Path):
                    archive.write(content, place)
                else:
                    archive.writestr(place, content)
        archive.writestr(TABLE_NAME, _table(list(rows.values())))


def _own_files(
    store: ResultStore, result: Result, corrected: Mapping[str, str] | None
) -> Iterator[tuple[str, str | Path]]:
    """Yield the files of a result; for a photo, the tables that its page offers instead of the record."""
    record = store.record(result, PhotoRecord) if result.kind == PHOTO else None
    for file in sorted(store.folder(result).rglob("*")):
        is_inner = file.name.startswith(".") or file.name in (NOTES_NAME, DRAWN_NAME)  # they are in the tables
        if file.is_file() and not is_inner and not (record and file.name == RECORD_NAME):
            yield file.relative_to(store.folder(result)).as_posix(), file
    if record:
        found = [record.picture_result(result.name)]
        yield "faces.csv", to_csv(found, record.labels, record.unsure_below, corrected)
        yield "faces.json", to_json(found, record.unsure_below, corrected)


def _row(folder: Path, result: Result) -> list[Any]:
    figures = result.figures
    shown = ", ".join(f"{label} {count:g}" for label, count in figures.expressions.items() if count > 0)
    when = datetime.fromtimestamp(result.changed, UTC).isoformat(timespec="seconds")
    numbers = [figures.faces, figures.pictures, figures.people, round(figures.seconds, 3)]
    return [str(folder), result.name, result.kind, when, result.model, *numbers, shown]


def _table(rows: Sequence[Sequence[Any]]) -> str:
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(COLUMNS)
    for row in rows:
        table.writerow(map(as_cell, row))
    return text.getvalue()


def _safe(name: str) -> str:
    """Return a folder name without path separators that every system can unpack."""
    safe = re.sub(r"[^\w ()-]+", "-", name).strip(" -") or "result"
    return f"_{safe}" if is_refused_by_windows(safe) else safe
