"""What is known of each picture of a collection, in a file that is added to picture by picture.

After a header each line is the JSON of one picture. Whoever is interrupted opens the file again and does what is
missing: a picture counts as done if a line has its key, which is made of the model, the path, the size and the time of
the last change, and of where its annotated copy goes. What could not be read is tried again. Where a picture has
several lines the last one holds, and a last line that was not written to its end does not count.
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
"""A picture of some hundred faces takes a megabyte, thumbnails and all."""


@dataclass(frozen=True)
class PictureTask:
    """A picture that is to be done."""

    path: Path
    name: str
    """What tables call it."""
    output: Path | None = None
    """Where its annotated copy goes, if it gets one."""

    def key(self, model: str) -> str:
        """Return what changes with the file, and with the hash of the model."""
        try:
            found = self.path.stat()
        except (OSError, ValueError):  # it is gone; reading it says so
            state = "gone"
        else:
            state = f"{found.st_size} {found.st_mtime_ns}"
        places = [str(place.absolute()) if place else "" for place in (self.path, self.output)]
        text = "\0".join([model, state, *places])
        return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:32]


@dataclass(frozen=True)
class Finished:
    """A picture that was done."""

    picture: PictureTask
    result: PictureResult
    thumbnails: tuple[str, ...] = ()
    """Of each face, or of the picture where there is none, as "data:image/jpeg;base64,…", if asked for."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        asked = {"output": self.picture.output and str(self.picture.output), "thumbnails": self.thumbnails}
        there = {name: value for name, value in asked.items() if value}
        return self.result.to_dict() | {"file": str(self.picture.path)} | there

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> "Finished":
        """Return what `to_dict` was called on.

        Raises:
            LookupError, TypeError, ValueError, AttributeError: the record is another one.
        """
        output = Path(record["output"]) if "output" in record else None
        picture = PictureTask(Path(record["file"]), record["path"], output)
        return cls(picture, PictureResult.from_dict(record), tuple(record.get("thumbnails", ())))


class ResultsFile:
    """The results of a collection, most of them on disk only; see `open_results`."""

    def __init__(self, file: IO[bytes], pictures: Sequence[PictureTask], model: str) -> None:
        """Look at what the file has of these pictures and a model; what is behind its last whole line is cut off."""
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
        """Return the pictures that are still to be done, each once, those that could not be read among them."""
        left = {key: picture for picture, key in self._keys.items() if not self._is_done(picture, key)}
        return list(left.values())

    def add(self, finished: Finished) -> None:
        """Write down a picture of the collection.

        Raises:
            OSError: the disk is full; what was written before stays, a part of the line does not count.
        """
        record = {"key": self._keys[finished.picture]} | finished.to_dict()
        line = json.dumps(record).encode() + b"\n"
        place = self._file.seek(0, 2)
        self._file.write(line)
        self._file.flush()
        self._index(line, place)

    def results(self) -> Iterator[PictureResult]:
        """Yield what is known, in the order of the pictures, read from the file one by one."""
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
    """Open the results of a collection, to go on with them; nobody else can meanwhile.

    Args:
        path: the file, which is made if there is none; None: they are kept until the end of the block only.
        pictures: the collection; pictures that were added since are missing in the file, others in it are ignored.
        model: the hash of the model file; results of another one are ignored.

    Raises:
        CollectionError: the file is something else, cannot be opened, or another process has it open.
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
            raise CollectionError(f"another process writes to {path}. Wait for it, or choose another file.") from error
        _check_header(opened, path)
        yield ResultsFile(opened, pictures, model)


def forget_results(path: Path) -> None:
    """Remove the results of a collection that nobody works on.

    Raises:
        OSError: the system does not let us.
    """
    path.unlink()
    _lock_path(path).unlink(missing_ok=True)


def _lock_path(path: Path) -> Path:
    return path.with_name(f".{path.name}.lock")


def read_finished(path: Path) -> list[Finished]:
    """Return all that a file of results has so far, one of each picture, in the order of their names; [] without it.

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
            f"expected a file of results that was made here, found something else at {path}. It was left as it is; "
            "choose another file."
        )


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the lines that were written to their end; one that no picture has in parts, which are no records."""
    while (line := file.readline(_LONGEST_LINE_BYTES)) and (line.endswith(b"\n") or len(line) == _LONGEST_LINE_BYTES):
        yield line


def _read(line: bytes) -> tuple[str, Finished] | None:
    """Return a line's key and picture; None for the header, and for a line that is damaged: that is done anew."""
    with suppress(LookupError, TypeError, ValueError, AttributeError):
        record = plain_of(line)
        if isinstance(record["key"], str):
            return record["key"], from_plain(to_plain(Finished.from_dict(record)), Finished)  # looks at the types
    return None
