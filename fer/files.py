"""Files that are whole or as they were before, whatever happens while they are written; their hashes."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

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
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("wb") as file:
            write(file)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        if partial.is_file():
            partial.unlink()
        raise
    if durable:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Wait until the disk knows the names in a folder; where folders cannot be opened, nothing can be done."""
    if os.name == "posix":
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def write_atomically(path: Path, content: str | bytes | memoryview, durable: bool = True) -> None:
    """Write bytes, or a text as UTF-8, in the manner of `replace_file`."""
    data = content.encode() if isinstance(content, str) else content
    replace_file(path, lambda file: file.write(data), durable)


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
