"""Untrusted data sets: unpack a ZIP, or store an upload under a name that cannot leave its folder.

Only pictures, tables and text are written, only inside one folder, and only up to the limits: Python reads no more
bytes of an entry than the archive declares. The folder appears only once it is complete.
"""

import errno
import lzma
import math
import re
import shutil
import stat
import struct
import sys
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from filelock import FileLock, Timeout

from fer.datasets.zip_names import true_names
from fer.errors import DatasetError
from fer.files import changed_ns, file_errors, file_sha256, is_hidden
from fer.home import data_folder
from fer.images import IMAGE_SUFFIXES
from fer.names import is_refused_by_windows

SUFFIXES = IMAGE_SUFFIXES | {".csv", ".txt", ".npy"}
"""What is unpacked; other files are not part of a data set. AffectNet stores labels as .npy."""
LEFT_NAME = ".left-in-archive"
"""A file with the kinds and counts of the files left in the archive, in the unpacked folder."""
_HALF_MADE, _LOCK_NAME = ".partial-", ".lock"
"""Prefix of incomplete folders, and the lock in them of the process at work."""
MAX_FILES = 300_000
MAX_BYTES = 20 * 2**30
MAX_RATIO = 100
"""Unpacked bytes per byte of the archive; tables of pixels reach 5. It does not apply to small archives:"""
RATIO_COUNTS_FROM_BYTES = 2**28
MAX_NAME_BYTES = 255
"""Of a file or folder: the limit of common file systems."""
MAX_PATH_BYTES = 1024
"""Within the archive; systems allow 4096 in total, if they support long paths at all."""
MAX_WINDOWS_PATH = 259
"""Characters of a whole path on Windows, unless its owner has allowed more."""
_BROKEN = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    MemoryError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    ValueError,
)
"""What zipfile and its decompressors raise on damaged data; UnicodeDecodeError is a ValueError, and bz2 raises OSErrors
without a number."""


def unpack(file: Path, into: Path | None = None, most_bytes: float = math.inf) -> Path:
    """Unpack a ZIP, whatever its suffix, to into/NAME-HASH, once: the same content always gets the same name.

    The default folder is data/unpacked, which may be deleted at any time. An archive of more than `most_bytes` unpacked
    is refused before anything is written.

    Raises:
        DatasetError: the file is not a ZIP, is damaged, encrypted or too large, or an entry would leave the folder.
    """
    with file_errors(f"the ZIP {file} cannot be read", DatasetError):
        digest = file_sha256(file)
    into = into or data_folder() / "unpacked"
    folder = into / f"{_plain(file.stem)}-{digest[:12]}"
    if folder.is_dir():
        return folder
    try:
        with _half_made(into) as partial:
            with zipfile.ZipFile(file) as archive:
                _unpack_entries(archive, partial / "all", folder, file, most_bytes)
            _move(partial / "all", folder)
    except _BROKEN as error:
        raise _damaged(file, error) from error
    except OSError as error:
        if error.errno in (None, errno.EINVAL):  # damaged bz2 data; a position before the start of the file
            raise _damaged(file, error) from error
        with file_errors(f"cannot unpack {file} to {into}", DatasetError):
            raise
    return folder


@contextmanager
def _half_made(into: Path) -> Iterator[Path]:
    """Yield a folder for incomplete content; those left behind by killed processes are deleted."""
    into.mkdir(parents=True, exist_ok=True)
    for left in into.glob(f"{_HALF_MADE}*"):
        with suppress(Timeout, OSError):  # somebody is at work there, or has just finished
            with FileLock(left / _LOCK_NAME, timeout=0):
                pass
            shutil.rmtree(left)
    with tempfile.TemporaryDirectory(prefix=_HALF_MADE, dir=into) as place, FileLock(Path(place, _LOCK_NAME)):
        yield Path(place)


def _damaged(file: Path, error: Exception) -> DatasetError:
    found = str(error) or type(error).__name__
    return DatasetError(f"expected a whole ZIP file at {file}, found {found}. Create or upload it again.")


def _unpack_entries(archive: zipfile.ZipFile, folder: Path, later: Path, file: Path, most_bytes: float) -> None:
    """Unpack into a folder, which is moved to `later` when it is complete."""
    listed = archive.infolist()
    names = true_names(listed, file)
    places = [(entry, _place(entry, name, file)) for entry, name in zip(listed, names, strict=True)]
    files = [(entry, place) for entry, place in places if not (entry.is_dir() or _is_hidden(place))]
    entries = [(entry, place) for entry, place in files if place.suffix.lower() in SUFFIXES]
    if len(entries) > MAX_FILES:
        raise DatasetError(f"expected at most {MAX_FILES:,} files in {file}, found {len(entries):,}. Split it up.")
    if not entries:
        raise DatasetError(
            f"expected pictures or a table in {file}, found {len(places)} other entries. Add pictures to the ZIP."
        )
    limit = min(most_bytes, MAX_BYTES, max(MAX_RATIO * file.stat().st_size, RATIO_COUNTS_FROM_BYTES))
    size = sum(entry.file_size for entry, _ in entries)
    if size > limit:
        raise DatasetError(
            f"expected at most {limit / 1e6:,.0f} MB in {file}, a limit for its size, found {size / 1e6:,.0f} MB. "
            "Split it up, or unpack it yourself if you trust it."
        )
    _check_distinct([place for _, place in entries], file)
    if sys.platform == "win32":
        above = max(len(str(path.absolute())) for path in (folder, later))
        longest = max((place for _, place in entries), key=lambda place: len(str(place)))
        if (length := above + 1 + len(str(longest))) > MAX_WINDOWS_PATH:
            raise _refusal(file, f"a path of {length} characters on this disk, over {MAX_WINDOWS_PATH}", str(longest))
    for entry, place in entries:
        target = folder / place
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(entry) as source, target.open("xb") as sink:  # x: no entry may replace another
            shutil.copyfileobj(source, sink)
    others = Counter(place.suffix.lower() or "no suffix" for _, place in files if place.suffix.lower() not in SUFFIXES)
    if others:
        kinds = ", ".join(f"{count:,} {suffix}" for suffix, count in others.most_common(8))
        (folder / LEFT_NAME).write_text(kinds, encoding="utf-8")


def _check_distinct(places: list[PurePosixPath], file: Path) -> None:
    """Refuse duplicate names, and a file with the name of a folder, ignoring case."""
    taken: set[str] = set()
    folders = {str(above).casefold() for place in places for above in place.parents}
    for place in places:
        name = str(place).casefold()
        if name in taken or name in folders:
            raise _refusal(file, "a duplicate name", str(place))
        taken.add(name)


def _is_hidden(place: PurePosixPath) -> bool:
    return is_hidden(place.name, False) or any(is_hidden(part, True) for part in place.parts[:-1])


def _place(entry: zipfile.ZipInfo, name: str, file: Path) -> PurePosixPath:
    """Return the relative path of an entry; refuse paths that lead outside, links and the like."""
    name = name.replace("\\", "/")  # some Windows programs write backslashes
    place = PurePosixPath(name)
    found = ""
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if place.is_absolute() or ".." in place.parts or re.match(r"[A-Za-z]:", name) or "\0" in name:
        found = "a path that leads out of the archive"
    elif kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        found = "a link" if kind == stat.S_IFLNK else "a device or a pipe"
    elif not name:  # Python cannot say whether it is a folder
        found = "one without a name"
    elif sys.platform == "win32" and any(map(is_refused_by_windows, place.parts)):
        found = "a name that Windows does not allow"
    elif entry.flag_bits & 1:
        found = "an encrypted one"
    elif len(name.encode()) > MAX_PATH_BYTES or any(len(part.encode()) > MAX_NAME_BYTES for part in place.parts):
        found = f"a name of {len(name.encode()):,} bytes"
    if found:
        raise _refusal(file, found, name)
    return place


def _refusal(file: Path, found: str, name: str) -> DatasetError:
    return DatasetError(
        f"expected plain files and folders with distinct names in {file}, found {found}: {name[:100]!r}. Nothing was "
        "unpacked. Create the ZIP again, with short names, without a password or links."
    )


def _move(partial: Path, folder: Path) -> None:
    try:
        partial.rename(folder)
    except OSError:
        if not folder.is_dir():  # otherwise another process has unpacked the same archive meanwhile
            raise


def _plain(name: str) -> str:
    return re.sub(r"[^\w-]+", "-", name)[:40]


def keep_upload(name: str, content: BinaryIO, folder: Path) -> Path:
    """Store an uploaded ZIP, unpacked, or an uploaded table; return its path. The same content is stored once.

    Only letters and digits of the last part of the visitor's file name are used. The folder is created if needed.

    Raises:
        DatasetError: it is neither a ZIP nor a CSV, is refused (see `unpack`), or cannot be written.
    """
    file = PurePosixPath(name.replace("\\", "/"))
    stem, suffix = _plain(file.stem).strip("-") or "upload", file.suffix.lower()
    if suffix not in (".zip", ".csv"):
        raise DatasetError(f"expected a ZIP or a CSV file, got {file.name!r}. Pack folders of pictures into a ZIP.")
    with file_errors(f"the upload cannot be saved in {folder}", DatasetError), _half_made(folder) as place:
        made = place / "made"
        made.mkdir()
        kept = made / f"{stem}{suffix}"
        with kept.open("wb") as copy:
            shutil.copyfileobj(content, copy)
        if suffix == ".zip":
            try:
                return unpack(kept, folder)
            except DatasetError as error:
                raise DatasetError(str(error).replace(str(kept), file.name)) from error
        home = folder / f"{stem}-{file_sha256(kept)[:12]}"
        _move(made, home)
        return home / kept.name


def kept_uploads(folder: Path) -> list[Path]:
    """Return the stored data sets, newest first."""
    if not folder.is_dir():
        return []
    homes = [home for home in folder.iterdir() if home.is_dir() and not home.name.startswith(".")]
    homes.sort(key=changed_ns, reverse=True)
    return [next(home.glob("*.csv"), home) if len(list(home.iterdir())) == 1 else home for home in homes]


def delete_upload(path: Path, folder: Path) -> None:
    """Delete a stored data set.

    Raises:
        DatasetError: it is not one of them, or cannot be deleted.
    """
    if path not in kept_uploads(folder):
        raise DatasetError(f"expected an uploaded data set, got {path}. Choose one from the list.")
    with file_errors(f"{path} cannot be deleted", DatasetError):
        shutil.rmtree(folder / path.relative_to(folder).parts[0])
