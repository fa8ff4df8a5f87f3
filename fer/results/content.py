"""The files of one result: its record, small faces, and the picture itself if pictures are kept."""

import contextlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fer.files import sync_folder, write_atomically
from fer.images import encode_webp, shrink_to_fit
from fer.records import to_json

RECORD_NAME, THUMBNAIL_NAME, FACES_NAME, PICTURE_NAME = "result.json", "thumbnail.webp", "faces", "picture"
THUMBNAIL_PX, FACE_PX = 96, 160
"""Longest sides of the kept thumbnail and crops."""


@dataclass(frozen=True, eq=False)
class Content:
    """The content of a result's files; a file whose value is None is left unchanged."""

    record: Any = None
    """Everything a page needs to show the result again: a dataclass of plain values, see `fer.records`."""
    thumbnail: np.ndarray | None = None
    """RGB uint8 (H, W, 3) of any size; None removes the thumbnail if `faces` is empty."""
    faces: Sequence[np.ndarray] | None = None
    """Crops of the faces, RGB uint8 (H, W, 3), in the order of the record."""
    picture: tuple[str, bytes] | None = None
    """The suffix (".jpg") and the bytes of the picture itself; written only if pictures are kept."""


def write_content(folder: Path, content: Content, with_picture: bool) -> int:
    """Write the files of a result; the record comes last, after the files it refers to.

    Args:
        folder: the folder of the result; its parent must exist.
        content: the new content.
        with_picture: whether pictures are kept.

    Returns:
        the size of all files of the result, in bytes.

    Raises:
        OSError: the disk is full, or cannot be written to.
        ImageError: a face or the thumbnail is not a picture.
    """
    files = _files(content, with_picture)
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(path, data)
    if files:
        sync_folder(folder.parent)
    for extra in face_files(folder)[len(content.faces) :] if content.faces is not None else ():
        extra.unlink()
    if content.faces is not None and not content.faces and content.thumbnail is None:
        (folder / THUMBNAIL_NAME).unlink(missing_ok=True)
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def face_files(folder: Path) -> list[Path]:
    """Return the crops of the faces of a result, in the order of its record."""
    return sorted((folder / FACES_NAME).glob("*.webp"))


def picture_file(folder: Path) -> Path | None:
    """Return the picture of a result itself; None if it was not kept."""
    return next(folder.glob(f"{PICTURE_NAME}.*"), None)


def remove_content(folder: Path) -> None:
    """Remove the files of a result without a row; if the system refuses, the store tries again when next opened."""
    with contextlib.suppress(OSError):
        shutil.rmtree(folder)


def _files(content: Content, with_picture: bool) -> dict[str, bytes]:
    """Return the files in the order in which they are written."""
    files = {
        f"{FACES_NAME}/{number:04}.webp": encode_webp(shrink_to_fit(crop, FACE_PX))
        for number, crop in enumerate(content.faces or (), start=1)
    }
    if content.thumbnail is not None:
        files[THUMBNAIL_NAME] = encode_webp(shrink_to_fit(content.thumbnail, THUMBNAIL_PX))
    if content.picture and with_picture:
        files[f"{PICTURE_NAME}{content.picture[0]}"] = content.picture[1]
    if content.record is not None:
        files[RECORD_NAME] = to_json(content.record).encode()
    return files
