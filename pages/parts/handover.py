"""Send what was dropped on the home page to the right page."""

from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, NoReturn

import streamlit as st

from fer.errors import FerError
from fer.images import IMAGE_SUFFIXES
from pages.parts.photo_source import UPLOAD_MB, Photo, open_photos
from pages.parts.session import mention

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

PHOTOS_AT_ONCE = 5
"""More than this open on the Many photos page."""
_VIDEO_SUFFIXES = {
    ".mp4", ".mov", ".webm", ".m4v", ".mpg", ".mpeg", ".ogv", ".3gp", ".mkv", ".avi", ".ts", ".mts", ".m2ts", ".flv",
    ".wmv", ".gif",
}  # fmt: skip
"""Suffixes of videos; browsers do not name the type of them all."""
_NAMED = 3
"""How many skipped files a message names."""


def hand_over(uploads: "Sequence[UploadedFile]") -> NoReturn:
    """Go to the page for what was dropped – photos, many photos or a ZIP, or a video – and start there.

    Other files are skipped, and videos beside photos; a message names them.

    Raises:
        FerError: there is nothing to analyze, there are several videos, or a file cannot be read.
    """
    photos, videos = ([one for one in uploads if _kind_of(one) == kind] for kind in ("photo", "video"))
    if not photos and len(videos) != 1:
        found = f"{len(videos):,} videos" if videos else _named(uploads)
        raise FerError(f"expected photos, a folder or ZIP of them, or one video, found {found}.")
    if skipped := [one for one in uploads if one not in (photos or videos)]:
        hint = " Drop a video by itself." * bool(photos and videos)
        mention(f"Skipped {_named(skipped)}.{hint}")
    if not photos:
        from pages.parts.video_new import take_upload  # imports the video reader, which home does not need

        take_upload(videos[0])
        st.switch_page("pages/video.py")
    if len(photos) > PHOTOS_AT_ONCE or any(_is_zip(one.name) for one in photos):
        from pages.parts.folder_new import begin

        begin(photos[0].name if len(photos) == 1 else f"{len(photos):,} files", uploads=photos)
        st.switch_page("pages/folder.py")
    for photo in photos:
        if photo.size > UPLOAD_MB * 2**20:
            raise FerError(f"{photo.name}: expected at most {UPLOAD_MB} MB, found {photo.size / 2**20:,.0f} MB.")
    open_photos([Photo(photo.file_id, photo.name, photo.getvalue) for photo in photos])


def _kind_of(upload: "UploadedFile") -> str:
    suffix = PurePath(upload.name).suffix.lower()
    if suffix in IMAGE_SUFFIXES or _is_zip(upload.name):
        return "photo"
    return "video" if upload.type.startswith("video/") or suffix in _VIDEO_SUFFIXES else ""


def _is_zip(name: str) -> bool:
    return name.lower().endswith(".zip")


def _named(files: "Sequence[UploadedFile]") -> str:
    names = ", ".join(one.name for one in files[:_NAMED])
    return f"{names} and {len(files) - _NAMED:,} more" if len(files) > _NAMED else names
