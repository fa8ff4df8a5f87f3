"""Send what was dropped on the home page to the right page."""

from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, NoReturn

import streamlit as st

from fer.errors import FerError
from fer.images import IMAGE_SUFFIXES
from pages.parts.photo_source import UPLOAD_MB, Photo, open_photos

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

PHOTOS_AT_ONCE = 5
"""More than this open on the Many photos page."""


def hand_over(uploads: "Sequence[UploadedFile]") -> NoReturn:
    """Go to the page for what was dropped – photos, many photos or a ZIP, or a video – and start there.

    Raises:
        FerError: it is something else, or cannot be read.
    """
    kinds = {_kind_of(upload.name) for upload in uploads}
    if "video" in kinds and len(uploads) > 1:
        raise FerError(
            f"expected photos, ZIPs or one video, found {len(uploads)} files with a video. Drop the video by itself."
        )
    if "video" in kinds:
        from pages.parts.video_new import take_upload  # imports the video reader, which home does not need

        take_upload(uploads[0])
        st.switch_page("pages/video.py")
    if "zip" in kinds or len(uploads) > PHOTOS_AT_ONCE:
        from pages.parts.folder_new import begin

        begin(uploads[0].name if len(uploads) == 1 else f"{len(uploads):,} files", uploads=uploads)
        st.switch_page("pages/folder.py")
    for upload in uploads:
        if upload.size > UPLOAD_MB * 2**20:
            raise FerError(f"{upload.name}: expected at most {UPLOAD_MB} MB, found {upload.size / 2**20:,.0f} MB.")
    open_photos([Photo(upload.file_id, upload.name, upload.getvalue) for upload in uploads])


def _kind_of(name: str) -> str:
    suffix = PurePath(name).suffix.lower()
    return "photo" if suffix in IMAGE_SUFFIXES else "zip" if suffix == ".zip" else "video"
