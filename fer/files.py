"""Files: whole or as they were before, whatever happens while they are written; read within limits; their hashes."""

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
"""Of a file that is read at once; records take some kilobytes."""
MOST_UNPACKED_BYTES = 2**28
"""Of the arrays of a file that is smaller than they are."""
_PAUSES_SECONDS = (0.01, 0.05, 0.2, 0.5)
_SYSTEM_FOLDERS = ("System Volume Information", "lost+found")


def replace_file(path: Path, write: Callable[[BinaryIO], object], durable: bool = True) -> None:
    """Write a file so that a reader sees the old content or the new one, never a part.

    Args:
        path: the file; its folder is there.
        write: is given the open file.
        durable: whether to wait until the disk has it, so that it outlives a loss of power, too.

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
            error.filename = str(path)  # what the user knows it by
        if partial.is_file():
            partial.unlink()
        raise
    if durable:
        sync_folder(path.parent)


def _replace(partial: Path, path: Path) -> None:
    """Give a file its name. Windows refuses while somebody reads the one that had it before: that ends soon."""
    for pause_seconds in _PAUSES_SECONDS if sys.platform == "win32" else ():
        with suppress(PermissionError):
            partial.replace(path)
            return
        time.sleep(pause_seconds)
    partial.replace(path)


def sync_folder(folder: Path) -> None:
    """Wait until the disk knows the names in a folder; where folders cannot be opened, nothing can be done."""
    if os.name == "posix":
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def short_name(name: str) -> str:
    """Return a file's name, or its hash where systems would not take the name with something more added to it."""
    data = os.fsencode(name)
    return name if len(data) <= 240 else hashlib.sha256(data).hexdigest()


def write_atomically(path: Path, content: str | bytes | memoryview, durable: bool = True) -> None:
    """Write bytes, or a text as UTF-8, in the manner of `replace_file`."""
    data = content.encode() if isinstance(content, str) else content
    replace_file(path, lambda file: file.write(data), durable)


@contextmanager
def file_errors(what: str, kind: type[FerError] = FerError) -> Iterator[None]:
    """Turn what the system says of files within into an error of a kind, which says what could not be done and why.

    What is said of a pipe that nobody reads any more passes: it is no file.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise kind(f"{what}: {file_problem(error)}") from error


def read_bytes(path: Path, most: int = MOST_BYTES) -> bytes:
    """Return what is in a file.

    Raises:
        OSError: it cannot be read.
        ValueError: it is a device or a pipe, which might never end, or larger.
    """
    with _opened(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"expected at most {most / 2**20:,.0f} MB, found more in {path}")
    return content


def _opened(path: Path) -> BinaryIO:
    if stat.S_IFMT(path.stat().st_mode) not in (stat.S_IFREG, stat.S_IFDIR):  # opening a folder says that it is one
        raise ValueError(f"expected a file, found a device or a pipe at {path}")
    return path.open("rb")


def read_arrays(path: Path) -> "dict[str, np.ndarray]":
    """Return the arrays in an .npz file, none of them of Python objects, by name; of an .npy file its array as "".

    Raises:
        OSError: it cannot be read.
        ValueError: it is none, is damaged, or says that its arrays are larger than they are.
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
"""What zipfile and numpy raise for nonsense besides ValueError; numpy has Python parse the header."""


def _read_array(file: IO[bytes], size: int) -> "np.ndarray":
    """Return an array of a file of so many bytes, after a look at how large it says it is."""
    import numpy as np

    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, kind = read(file)
    if math.prod(shape) * max(kind.itemsize, 1) > size or min(shape, default=0) < 0:
        raise ValueError(f"expected an array of at most {size:,} bytes, found one that says {shape} of {kind}")
    file.seek(0)
    found = np.asarray(np.lib.format.read_array(file, allow_pickle=False))
    if kind.kind == "U" and found.nbytes:
        characters = found.reshape(-1).view(np.dtype(np.uint32).newbyteorder(kind.byteorder))
        if characters.max() > sys.maxunicode:  # Python would raise SystemError wherever it is looked at
            raise ValueError("expected a text, found characters that Unicode does not have")
    return found


def changed_ns(path: Path) -> int:
    """Return when a file or folder was changed last, in nanoseconds since 1970; 0 where there is none any more."""
    try:
        return path.stat().st_mtime_ns
    except (OSError, ValueError):
        return 0


def is_hidden(name: str, is_folder: bool) -> bool:
    """Whether a name is of what systems put beside files: .DS_Store, __MACOSX, @eaDir, #recycle, $RECYCLE.BIN, …."""
    return name.startswith((".", "__", "@", "#", "$") if is_folder else ".") or name in _SYSTEM_FOLDERS


def visible(folder: Path) -> list[Path]:
    """Return what lies in a folder, sorted, without what is hidden.

    Raises:
        OSError: there is no such folder, or it may not be listed.
    """
    return sorted(entry for entry in folder.iterdir() if not is_hidden(entry.name, entry.is_dir()))


def free_path(path: Path, is_taken: Callable[[Path], bool] = Path.exists) -> Path:
    """Return the path, with a number where it is taken: where there is something of that name, if not given."""
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
