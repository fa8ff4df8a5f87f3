"""One process at a time in a run folder.

The operating system holds the lock and lets it go when the process ends, however it ends.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fer.errors import TrainingError
from fer.files import take_lock

NAME = ".lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other processes out of a run folder.

    Raises:
        TrainingError: another process is in it.
    """
    with (folder / NAME).open("ab") as file:
        if not take_lock(file):
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
        return not take_lock(file)
