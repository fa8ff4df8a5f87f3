"""Sources of the photo page: files, the clipboard, the camera, samples, and what was dropped on the home page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn

import streamlit as st

from fer.images import IMAGE_SUFFIXES, encode_png
from fer.names import literal
from pages.parts.kept_photos import forget_kept, is_addressed
from pages.parts.paste import paste_button
from pages.parts.samples import CREDIT, SAMPLES, sample_picture
from pages.parts.session import forget_upload
from pages.parts.widgets import one_of

SOURCES = {
    "Upload": ":material/upload: Upload",
    "Camera": ":material/photo_camera: Camera",
    "Sample": ":material/image: Sample",
}
UPLOAD_MB = 50


_HANDED = "handed_photos"


@dataclass(frozen=True)
class Photo:
    """A photo that the visitor chose, or a kept one."""

    key: str
    name: str
    read: Callable[[], bytes]
    is_there: bool = True
    """Whether the picture is available; otherwise only its faces were kept."""
    model: str = ""
    """The hash of the model file that read its faces earlier; "" for the model in use."""
    is_new: bool = True
    """Whether it was chosen just now, so that it can be turned."""


def chosen_photos() -> list[Photo]:
    """Ask for photos and return those chosen here or on the home page."""
    source = one_of("Source", SOURCES, "photo_source", _forget_choice)
    visit = st.session_state.get("photo_visit", 0)
    if source == "Sample":
        name = st.pills("Sample", SAMPLES, default=SAMPLES[0], required=True, label_visibility="collapsed")
        st.caption(CREDIT)
        return [sample_photo(name)]
    if source == "Camera":
        snapshot = st.camera_input(
            "Take a photo",
            label_visibility="collapsed",
            resolution="1080p",
            key=f"snapshot {visit}",
            on_change=_forget,
        )
        return [Photo(snapshot.file_id, "snapshot.jpg", snapshot.getvalue)] if snapshot else []
    uploads = st.file_uploader(
        "Photos",
        sorted(IMAGE_SUFFIXES),
        accept_multiple_files=True,
        max_upload_size=UPLOAD_MB,
        label_visibility="collapsed",
        key=f"uploads {visit}",
        on_change=_forget,
    )
    paste_button(key="paste")
    if not uploads:
        return _handed_photos()
    for upload in (upload for upload in uploads if upload.size > UPLOAD_MB * 2**20):  # the browser did not refuse it
        st.error(f"{literal(upload.name)}: expected at most {UPLOAD_MB} MB, found {upload.size / 2**20:,.0f} MB.")
        forget_upload(upload.file_id)
    return [
        Photo(upload.file_id, upload.name, upload.getvalue) for upload in uploads if upload.size <= UPLOAD_MB * 2**20
    ]


def sample_photo(name: str) -> Photo:
    """Return one of `SAMPLES` as a photo."""
    return Photo(name, f"{name}.png", lambda: encode_png(sample_picture(name)))


def open_photos(photos: Sequence[Photo]) -> NoReturn:
    """Open photos on the photo page."""
    forget_kept()
    st.session_state[_HANDED] = list(photos)
    st.switch_page("pages/photo.py")


def _handed_photos() -> list[Photo]:
    """Return the photos from the home page, until others are chosen or addressed."""
    photos: list[Photo] = st.session_state.get(_HANDED, [])
    if not is_addressed(photo.key for photo in photos):
        st.session_state.pop(_HANDED, None)
        return []
    return photos


def _forget_choice() -> None:
    """Start each visit to a source with an empty widget; a hidden one would keep its old photos."""
    st.session_state["photo_visit"] = st.session_state.get("photo_visit", 0) + 1
    _forget()


def _forget() -> None:
    st.session_state.pop(_HANDED, None)
    forget_kept()
