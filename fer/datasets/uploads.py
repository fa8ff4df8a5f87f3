"""Data sets that somebody hands over in the browser: kept in a folder each, under a name that cannot leave it."""

import re
import shutil
import tempfile
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from fer.datasets.archive import unpack
from fer.errors import DatasetError
from fer.files import file_sha256


def keep_upload(name: str, content: BinaryIO, folder: Path) -> Path:
    """Keep an uploaded ZIP, unpacked, or an uploaded table; the same content is kept once.

    Args:
        name: what the visitor's file is called; only its last part counts, and of that only letters and digits.
        content: an open file, at its start.
        folder: where data sets are kept, made if it is not there.

    Returns:
        The path of the data set, for `open_datasets`.

    Raises:
        DatasetError: it is neither a ZIP nor a CSV, is refused (see `unpack`), or cannot be written.
    """
    file = PurePosixPath(name.replace("\\", "/"))
    stem, suffix = re.sub(r"[^\w-]+", "-", file.stem)[:40].strip("-") or "upload", file.suffix.lower()
    if suffix not in (".zip", ".csv"):
        raise DatasetError(f"expected a ZIP or a CSV file, got {file.name!r}. Pack folders of pictures into a ZIP.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".upload-", dir=folder) as place:
            kept = Path(place) / f"{stem}{suffix}"
            with kept.open("wb") as copy:
                shutil.copyfileobj(content, copy)
            if suffix == ".zip":
                return unpack(kept, folder)
            home = folder / f"{stem}-{file_sha256(kept)[:12]}"
            home.mkdir(exist_ok=True)
            return kept.replace(home / kept.name)
    except OSError as error:
        raise DatasetError(f"the upload cannot be kept in {folder}: {error}. Make room there.") from error


def kept_uploads(folder: Path) -> list[Path]:
    """Return the data sets that were kept, the newest first."""
    if not folder.is_dir():
        return []
    homes = [home for home in folder.iterdir() if home.is_dir() and not home.name.startswith(".")]
    homes.sort(key=lambda home: home.stat().st_mtime, reverse=True)
    return [next(home.glob("*.csv"), home) if len(list(home.iterdir())) == 1 else home for home in homes]


def delete_upload(path: Path, folder: Path) -> None:
    """Delete a data set that was kept.

    Raises:
        DatasetError: it is none of them, or cannot be deleted.
    """
    if path not in kept_uploads(folder):
        raise DatasetError(f"expected a data set that was uploaded, got {path}.")
    try:
        shutil.rmtree(folder / path.relative_to(folder).parts[0])
    except OSError as error:
        raise DatasetError(f"{path} cannot be deleted: {error}") from error
