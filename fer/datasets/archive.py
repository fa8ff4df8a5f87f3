"""Data sets that a stranger hands over: a ZIP to unpack, an upload to keep under a name that cannot leave its folder.

Nothing is written outside one folder, nothing but pictures, tables and text, and no more than the limits allow: of an
entry Python reads no more bytes than the archive says it has. The folder appears only when all is in it.
"""

import re
import shutil
import stat
import tempfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from fer.errors import DatasetError
from fer.files import file_sha256
from fer.home import data_folder
from fer.images import IMAGE_SUFFIXES

SUFFIXES = IMAGE_SUFFIXES | {".csv", ".txt"}
"""What is unpacked; the rest is no part of a data set."""
MAX_FILES = 300_000
MAX_BYTES = 20 * 2**30
MAX_RATIO = 100
"""Unpacked bytes for each byte of the archive; tables of pixels reach 5. Small archives are left in peace:"""
RATIO_COUNTS_FROM_BYTES = 2**28
_HIDDEN = ("__MACOSX", ".")


def unpack(file: Path, into: Path | None = None) -> Path:
    """Unpack a ZIP, whatever its suffix, to into/NAME-HASH, once: the same content is found again under the same name.

    What is unpacked to data/unpacked, where it goes if not told otherwise, may be deleted at any time.

    Raises:
        DatasetError: it is no ZIP, is damaged, encrypted or too large, or an entry would leave the folder.
    """
    try:
        digest = file_sha256(file)
    except OSError as error:
        raise DatasetError(f"expected a ZIP file that can be read at {file}, found {error}.") from error
    into = into or data_folder() / "unpacked"
    folder = into / f"{_plain(file.stem)}-{digest[:12]}"
    if folder.is_dir():
        return folder
    try:
        into.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".partial-", dir=into) as partial:
            with zipfile.ZipFile(file) as archive:
                _unpack_entries(archive, Path(partial, "all"), file)
            _move(Path(partial, "all"), folder)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise DatasetError(f"expected a whole ZIP file at {file}, found {error}. Make or upload it again.") from error
    except OSError as error:
        raise DatasetError(f"cannot unpack {file} to {into}: {error}. Make room, or unpack it yourself.") from error
    return folder


def _unpack_entries(archive: zipfile.ZipFile, folder: Path, file: Path) -> None:
    places = [(entry, _place(entry, file)) for entry in archive.infolist()]  # all of them, before anything is written
    entries = [
        (entry, place)
        for entry, place in places
        if not entry.is_dir() and place.suffix.lower() in SUFFIXES
        if not any(part.startswith(_HIDDEN) for part in place.parts)
    ]
    if len(entries) > MAX_FILES:
        raise DatasetError(f"expected at most {MAX_FILES:,} files in {file}, found {len(entries):,}. Split it up.")
    if not entries:
        raise DatasetError(f"expected pictures or a table in {file}, found {len(places)} other entries.")
    limit = min(MAX_BYTES, max(MAX_RATIO * file.stat().st_size, RATIO_COUNTS_FROM_BYTES))
    size = sum(entry.file_size for entry, _ in entries)
    if size > limit:
        raise DatasetError(
            f"expected at most {limit / 1e6:,.0f} MB in {file} (at most {MAX_RATIO} times its own size), found "
            f"{size / 1e6:,.0f} MB. Unpack it yourself if you trust it."
        )
    for entry, place in entries:
        target = folder / place
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(entry) as source, target.open("xb") as sink:  # x: no entry may replace another
            shutil.copyfileobj(source, sink)


def _place(entry: zipfile.ZipInfo, file: Path) -> PurePosixPath:
    """Return where an entry belongs, relative; refuse it where that is outside, a link, or hidden from us."""
    name = entry.filename.replace("\\", "/")  # some Windows programs write these
    place = PurePosixPath(name)
    found = ""
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if place.is_absolute() or ".." in place.parts or re.match(r"[A-Za-z]:", name) or "\0" in name:
        found = "a path that leads out of the archive"
    elif kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        found = "a link" if kind == stat.S_IFLNK else "a device or a pipe"
    elif entry.flag_bits & 1:
        found = "an encrypted one"
    if found:
        raise DatasetError(
            f"expected plain files and folders in {file}, found {found}: {entry.filename[:100]!r}. Nothing was "
            "unpacked. Make the ZIP anew, without a password or links."
        )
    return place


def _move(partial: Path, folder: Path) -> None:
    try:
        partial.rename(folder)
    except OSError:
        if not folder.is_dir():  # another process has unpacked the same archive meanwhile
            raise


def _plain(name: str) -> str:
    return re.sub(r"[^\w-]+", "-", name)[:40]


def keep_upload(name: str, content: BinaryIO, folder: Path) -> Path:
    """Keep an uploaded ZIP, unpacked, or an uploaded table; return its path. The same content is kept once.

    Of the visitor's name only the last part counts, and of that only letters and digits. The folder is made if need be.

    Raises:
        DatasetError: it is neither a ZIP nor a CSV, is refused (see `unpack`), or cannot be written.
    """
    file = PurePosixPath(name.replace("\\", "/"))
    stem, suffix = _plain(file.stem).strip("-") or "upload", file.suffix.lower()
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
