"""Files: atomic writes, reads with size limits, hashes, hidden files."""

import hashlib
import math
import os
import stat
import sys
import time
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO

from fer.errors import FerError, file_problem

if TYPE_CHECKING:
    import numpy as np

MOST_BYTES = 2**24
"""Limit for a file that is read at once; records take some kilobytes."""
MOST_UNPACKED_BYTES = 2**28
"""Limit for the unpacked arrays of a compressed file."""
_PAUSES_SECONDS = (0.01, 0.05, 0.2, 0.5)
_SYSTEM_FOLDERS = ("System Volume Information", "lost+found")


def replace_file(path: Path, write: Callable[[BinaryIO], object], durable: bool = True) -> None:
    """Write a file so that a reader sees either the old content or the new one, never a part.

    Args:
        path: the file; its folder must exist.
        write: called with the open file.
        durable: whether to wait until the disk has the data, so that it survives a power failure, too.

    Raises:
        OSError: the disk is full, or the folder cannot be written to. The old content stays, no partial file does.
    """
    partial = path.with_name(f".{short_name(path.name)}.partial")
    try:
        with partial.open("wb") as file:
            write(file)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        _replace(partial, path)
    except BaseException as error:
        if isinstance(error, OSError) and error.filename == str(partial):
            error.filename = str(path)  # the name that the user knows
        if partial.is_file():
            partial.unlink()
        raise
    if durable:
        sync_folder(path.parent)


def _replace(partial: Path, path: Path) -> None:
    """Rename a file. Windows refuses while somebody reads the old one, which soon ends."""
    for pause_seconds in _PAUSES_SECONDS if sys.platform == "win32" else ():
        with suppress(PermissionError):
            partial.replace(path)
            return
        time.sleep(pause_seconds)
    partial.replace(path)


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the names in a folder; a no-op where folders cannot be opened."""
    if os.name == "posix":
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def short_name(name: str) -> str:
    """Return a file's name, or its hash if the name is too long to be extended."""
    data = os.fsencode(name)
    return name if len(data) <= 240 else hashlib.sha256(data).hexdigest()


def write_atomically(path: Path, content: str | bytes | memoryview, durable: bool = True) -> None:
    """Write bytes, or a text as UTF-8, by `replace_file`."""
    data = content.encode() if isinstance(content, str) else content
    replace_file(path, lambda file: file.write(data), durable)


@contextmanager
def file_errors(what: str, kind: type[FerError] = FerError) -> Iterator[None]:
    """Turn an OSError into an error of this kind, which says what could not be done and why.

    A BrokenPipeError passes through: a pipe without a reader is not a file.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise kind(f"{what}: {file_problem(error)}") from error


def read_bytes(path: Path, most: int = MOST_BYTES) -> bytes:
    """Return the content of a file.

    Raises:
        OSError: it cannot be read.
        ValueError: it is a device or a pipe, which might never end, or too large.
    """
    with _opened(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"expected at most {most / 2**20:,.0f} MB, found more in {path}")
    return content


def _opened(path: Path) -> BinaryIO:
    if stat.S_IFMT(path.stat().st_mode) not in (stat.S_IFREG, stat.S_IFDIR):  # opening a folder raises its own error
        raise ValueError(f"expected a file, found a device or a pipe at {path}")
    return path.open("rb")


def read_arrays(path: Path) -> "dict[str, np.ndarray]":
    """Return the arrays of an .npz file by name, or the array of an .npy file as ""; no Python objects.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not such a file, is damaged, or declares arrays larger than the file.
    """
    try:
        with _opened(path) as file:
            size = os.fstat(file.fileno()).st_size
            if not zipfile.is_zipfile(file):
                file.seek(0)
                return {"": _read_array(file, size)}
            with zipfile.ZipFile(file) as archive:
                entries = archive.infolist()
                if sum(entry.file_size for entry in entries) > max(size, MOST_UNPACKED_BYTES):
                    raise ValueError(f"expected at most {MOST_UNPACKED_BYTES / 2**20:,.0f} MB of packed arrays")
                found: dict[str, np.ndarray] = {}
                for entry in entries:
                    with archive.open(entry) as packed:
                        found[entry.filename.removesuffix(".npy")] = _read_array(packed, entry.file_size)
                return found
    except _DAMAGED_ARRAYS as error:
        raise ValueError(str(error) or type(error).__name__) from error


_DAMAGED_ARRAYS = (
    zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OverflowError, RuntimeError, SyntaxError, TypeError,
    tokenize.TokenError, MemoryError,
)  # fmt: skip
"""What zipfile and numpy raise on damaged data besides ValueError; numpy has Python parse the header."""


def _read_array(file: IO[bytes], size: int) -> "np.ndarray":
    """Return an array from a file of `size` bytes, after checking the size that its header declares."""
    import numpy as np

    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, kind = read(file)
    if math.prod(shape) * max(kind.itemsize, 1) > size or min(shape, default=0) < 0:
        raise ValueError(f"expected an array of at most {size:,} bytes, found one that declares {shape} of {kind}")
    file.seek(0)
    found = np.asarray(np.lib.format.read_array(file, allow_pickle=False))
    if kind.kind == "U" and found.nbytes:
        characters = found.reshape(-1).view(np.dtype(np.uint32).newbyteorder(kind.byteorder))
        if characters.max() > sys.maxunicode:  # any access would raise SystemError
            raise ValueError("expected text, found characters outside Unicode")
    return found


def changed_ns(path: Path) -> int:
    """Return when a file or folder was last changed, in nanoseconds since 1970; 0 if it does not exist."""
    try:
        return path.stat().st_mtime_ns
    except (OSError, ValueError):
        return 0


def is_hidden(name: str, is_folder: bool) -> bool:
    """Whether a name is one that systems put beside files: .DS_Store, __MACOSX, @eaDir, #recycle, $RECYCLE.BIN, …."""
    return name.startswith((".", "__", "@", "#", "$") if is_folder else ".") or name in _SYSTEM_FOLDERS


def visible(folder: Path) -> list[Path]:
    """Return the content of a folder, sorted, without hidden entries.

    Raises:
        OSError: the folder does not exist, or cannot be listed.
    """
    return sorted(entry for entry in folder.iterdir() if not is_hidden(entry.name, entry.is_dir()))


def real_path(path: str | os.PathLike[str]) -> Path:
    """Return the path that links lead to, absolute, to compare paths; never an error, where `Path.resolve` has one.

    A loop of links, or a path with a NUL, stays as it is: whoever opens it says what is wrong with it.
    """
    try:
        return Path(os.path.realpath(path))
    except ValueError:
        return Path(path)


def free_path(path: Path, is_taken: Callable[[Path], bool] = Path.exists) -> Path:
    """Return the path, with a number appended if it is taken (by default: if it exists)."""
    number, free = 1, path
    while is_taken(free):
        number += 1
        free = path.with_stem(f"{path.stem}-{number}")
    return free


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hex.

    Raises:
        OSError: it cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as content:
        while chunk := content.read(2**20):
            digest.update(chunk)
    return digest.hexdigest()
