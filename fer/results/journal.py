"""The results of many pictures, in a file that grows picture by picture.

After a header, each line is the JSON of one picture. After an interruption, the file is opened again and only the
missing pictures are analyzed. A picture counts as done if a line has its key: a hash of the model, the path, the size,
the modification time and the path of the annotated copy. Unreadable pictures are tried again. If a picture has several
lines, the last one counts; an incomplete last line is ignored.
"""

import hashlib
import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from filelock import FileLock, Timeout

from fer.errors import CollectionError
from fer.files import file_errors, write_atomically
from fer.records import from_plain, plain_of, to_plain
from fer.results.pictures import PictureResult

HEADER = '{"format": "fer-results-1"}\n'
_LONGEST_LINE_BYTES = 2**24
"""A picture with a few hundred faces takes a megabyte, including thumbnails."""


@dataclass(frozen=True)
class PictureTask:
    """A picture to analyze."""

    path: Path
    name: str
    """The name in tables."""
    output: Path | None = None
    """The path of the annotated copy, if one is wanted."""

    def key(self, model: str) -> str:
        """Return a key that changes with the file and with the hash of the model."""
        try:
            found = self.path.stat()
        except (OSError, ValueError):  # reading it will report the error
            state = "gone"
        else:
            state = f"{found.st_size} {found.st_mtime_ns}"
        places = [str(place.absolute()) if place else "" for place in (self.path, self.output)]
        text = "\0".join([model, state, *places])
        return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:32]


@dataclass(frozen=True)
class Finished:
    """An analyzed picture."""

    picture: PictureTask
    result: PictureResult
    thumbnails: tuple[str, ...] = ()
    """One for each face, or one of the picture if it has none, as "data:image/jpeg;base64,…"; only on request."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        asked = {"output": self.picture.output and str(self.picture.output), "thumbnails": self.thumbnails}
        there = {name: value for name, value in asked.items() if value}
        return self.result.to_dict() | {"file": str(self.picture.path)} | there

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> "Finished":
        """Return the picture that `to_dict` was called on.

        Raises:
            LookupError, TypeError, ValueError, AttributeError: the record has another structure.
        """
        output = Path(record["output"]) if "output" in record else None
        picture = PictureTask(Path(record["file"]), record["path"], output)
        return cls(picture, PictureResult.from_dict(record), tuple(record.get("thumbnails", ())))


class ResultsFile:
    """The results of a collection of pictures, which stay on disk; see `open_results`."""

    def __init__(self, file: IO[bytes], pictures: Sequence[PictureTask], model: str) -> None:
        """Find the results of these pictures and a model; an incomplete last line is cut off."""
        self._file = file
        self._keys = {picture: picture.key(model) for picture in pictures}
        self._pictures = pictures
        self._places: dict[str, int] = {}
        self._done: set[str] = set()
        file.seek(0)
        place = 0
        for line in _lines(file):
            self._index(line, place)
            place += len(line)
        file.truncate(place)

    def missing(self) -> list[PictureTask]:
        """Return the pictures that are still to be analyzed, each once, including those that could not be read."""
        left = {key: picture for picture, key in self._keys.items() if not self._is_done(picture, key)}
        return list(left.values())

    def add(self, finished: Finished) -> None:
        """Append the result of a picture.

        Raises:
            OSError: the disk is full; earlier results stay, and a partly written line is ignored.
        """
        record = {"key": self._keys[finished.picture]} | finished.to_dict()
        line = json.dumps(record).encode() + b"\n"
        place = self._file.seek(0, 2)
        self._file.write(line)
        self._file.flush()
        self._index(line, place)

    def results(self) -> Iterator[PictureResult]:
        """Yield the results so far, in the order of the pictures, read from the file one by one."""
        for picture in self._pictures:
            place = self._places.get(self._keys[picture])
            if place is not None:
                self._file.seek(place)
                yield replace(PictureResult.from_dict(plain_of(self._file.readline())), path=picture.name)

    def _index(self, line: bytes, place: int) -> None:
        if found := _read(line):
            key, finished = found
            self._places[key] = place
            (self._done.add if finished.result.error is None else self._done.discard)(key)

    def _is_done(self, picture: PictureTask, key: str) -> bool:
        return key in self._done and (picture.output is None or picture.output.is_file())


@contextmanager
def open_results(path: Path | None, pictures: Sequence[PictureTask], model: str) -> Iterator[ResultsFile]:
    """Open the results of a collection of pictures, new or to resume, and lock them for this process.

    Args:
        path: the file, created if it does not exist; None keeps the results only until the end of the block.
        pictures: the collection; results of other pictures in the file are ignored.
        model: the hash of the model file; results of other models are ignored.

    Raises:
        CollectionError: the file is something else, cannot be opened, or is open in another process.
    """
    if path is None:
        with tempfile.TemporaryFile() as file:
            yield ResultsFile(file, pictures, model)
        return
    with file_errors(f"the results cannot be kept in {path}", CollectionError), ExitStack() as stack:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                write_atomically(path, HEADER, durable=False)
            stack.enter_context(FileLock(_lock_path(path), timeout=0))
            opened = stack.enter_context(path.open("r+b"))
        except Timeout as error:
            raise CollectionError(
                f"another process is writing to {path}. Wait for it, or choose another file."
            ) from error
        _check_header(opened, path)
        yield ResultsFile(opened, pictures, model)


def forget_results(path: Path) -> None:
    """Remove a file of results that no process has open.

    Raises:
        OSError: the system refuses.
    """
    path.unlink()
    _lock_path(path).unlink(missing_ok=True)


def _lock_path(path: Path) -> Path:
    return path.with_name(f".{path.name}.lock")


def read_finished(path: Path) -> list[Finished]:
    """Return the results in a file, one for each picture, sorted by name; [] if the file does not exist.

    Raises:
        CollectionError: the file is something else.
    """
    if not path.is_file():
        return []
    with file_errors(f"the results cannot be read from {path}", CollectionError), path.open("rb") as file:
        _check_header(file, path)
        found = [finished for _, finished in filter(None, map(_read, _lines(file)))]
    latest = {finished.picture.path: finished for finished in found}
    return sorted(latest.values(), key=lambda finished: finished.picture.name)


def _check_header(file: IO[bytes], path: Path) -> None:
    file.seek(0)
    if file.readline(len(HEADER) + 1) != HEADER.encode():
        raise CollectionError(
            f"expected a results file of this program, found something else at {path}. Nothing was changed; choose "
            "another file."
        )


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the complete lines; one that is longer than any record comes in parts, which are not records."""
    while (line := file.readline(_LONGEST_LINE_BYTES)) and (line.endswith(b"\n") or len(line) == _LONGEST_LINE_BYTES):
        yield line


def _read(line: bytes) -> tuple[str, Finished] | None:
    """Return a line's key and picture; None for the header and for a damaged line, whose picture is analyzed again."""
    with suppress(LookupError, TypeError, ValueError, AttributeError):
        record = plain_of(line)
        if isinstance(record["key"], str):
            return record["key"], from_plain(to_plain(Finished.from_dict(record)), Finished)  # checks the types
    return None
