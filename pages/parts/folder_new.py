"""The first half of the Many photos page: choose photos and start, or reopen earlier ones."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from fer.collection import job as collection
from fer.collection.job import KIND, Request
from fer.images import IMAGE_SUFFIXES
from fer.jobs.job import JobView
from fer.names import literal
from fer.results import result as results
from pages.parts.jobs import jobs_folder
from pages.parts.kept_jobs import begin_kept, earlier_jobs, filling, upload_note
from pages.parts.models import checkpoint_path, chosen_faces
from pages.parts.permissions import training_allowed
from pages.parts.session import attempt
from pages.parts.widgets import one_of, path_here

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

FILES, FOLDER, HERE = "Files", "Folder", "On this machine"
SOURCES = {
    FILES: ":material/upload: Files or a ZIP",
    FOLDER: ":material/drive_folder_upload: A folder",
    HERE: ":material/folder: On this machine",
}


def new_job() -> None:
    """Ask for photos and start a job; list earlier ones."""
    sources = {name: shown for name, shown in SOURCES.items() if name != HERE or training_allowed()}
    source = one_of("Source", sources, "folder_source")
    if source == HERE:
        path = path_here("/home/me/photos", "A folder on the machine that runs the app, including its subfolders.")
        if st.button("Analyze", type="primary", icon=":material/play_arrow:", disabled=not path) and path:
            attempt(lambda: begin(path.name or str(path), path))
    else:
        take_uploads(folder=source == FOLDER)
    upload_note("Photos stay")
    earlier_jobs(results.FOLDER)


def take_uploads(*, folder: bool) -> None:
    """Ask for files or a folder and start a job."""
    visit = st.session_state.get("folder_visit", 0)  # a new number empties the widget and frees its memory
    uploads = st.file_uploader(
        "Photos",
        sorted(IMAGE_SUFFIXES) + ([] if folder else [".zip"]),
        accept_multiple_files="directory" if folder else True,
        label_visibility="collapsed",
        key=f"folder_uploads {folder} {visit}",
    )
    count = f" {len(uploads):,} file{'s' * (len(uploads) > 1)}" if uploads else ""
    if st.button(f"Analyze{count}", type="primary", icon=":material/play_arrow:", disabled=not uploads):
        st.session_state["folder_visit"] = visit + 1
        title = uploads[0].name if len(uploads) == 1 else f"{len(uploads):,} files"
        attempt(lambda: begin(title, uploads=uploads))


def begin(title: str, source: Path | None = None, uploads: "Sequence[UploadedFile]" = ()) -> None:
    """Create a job with the visitor's model and kind of faces, and start it.

    Args:
        title: the name shown for it.
        source: a folder on this machine.
        uploads: photos and ZIPs; if one of them cannot be stored, no job is created.
    """
    made = collection.create(jobs_folder(KIND), checkpoint_path(), title, source, chosen_faces())
    bar = st.empty()
    with filling(made.folder, KIND) as most_bytes:
        for number, upload in enumerate(uploads):
            bar.progress(number / len(uploads), f"Saving {literal(upload.name)}")
            collection.add_upload(made.folder, upload.name, upload, most_bytes)
    begin_kept(made.folder, results.FOLDER, title, lambda: collection.start(made.folder))


def title_of(seen: JobView[Request]) -> str:
    """Return the name shown for a job."""
    return seen.request.title if seen.request else "Photos that can no longer be read"


def done_of(seen: JobView[Request]) -> str:
    """Return how much of a job is done: "12 of 24", or "0" before its size is known."""
    return f"{seen.status.done:,.0f}{f' of {seen.status.total:,.0f}' * bool(seen.status.total)}"
