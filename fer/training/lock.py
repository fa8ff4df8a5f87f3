"""One process at a time in a run folder.

The operating system holds the lock and lets it go when the process ends, however it ends.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from fer.errors import TrainingError

NAME = ".lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other processes out of a run folder.

    Raises:
        TrainingError: another process is in it.
    """
    with (folder / NAME).open("ab") as file:
        if not _take(file):
            raise TrainingError(
                f"another process is training in {folder}. Wait for it, stop it, or give this run another --name."
            )
        yield


def is_locked(folder: Path) -> bool:
    """Whether a living process is training in a run folder."""
    path = folder / NAME
    if not path.exists():
        return False
    with path.open("ab") as file:
        return not _take(file)


if os.name == "nt":
    import msvcrt

    def _take(file: BinaryIO) -> bool:
        try:
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined, unused-ignore]
        except OSError:
            return False
        return True
else:
    import fcntl

    def _take(file: BinaryIO) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
