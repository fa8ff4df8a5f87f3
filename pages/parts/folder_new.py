"""The first half of the page for many photos: choose them and begin, or go back to earlier ones."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from fer.collection import job as collection
from fer.collection.job import KIND, Request
from fer.images import IMAGE_SUFFIXES
from fer.jobs.job import JobView
from fer.results import result as results
from pages.parts.jobs import jobs_folder
from pages.parts.kept_jobs import begin_kept, earlier_jobs, filling, upload_note
from pages.parts.models import checkpoint_path, chosen_faces
from pages.parts.permissions import training_allowed
from pages.parts.session import attempt
from pages.parts.widgets import literal, one_of, path_here

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

FILES, FOLDER, HERE = "Files", "Folder", "On this machine"
SOURCES = {
    FILES: ":material/upload: Files or a ZIP",
    FOLDER: ":material/drive_folder_upload: A folder",
    HERE: ":material/folder: On this machine",
}


def new_job() -> None:
    """Ask for photos and begin; list the earlier jobs."""
    sources = {name: shown for name, shown in SOURCES.items() if name != HERE or training_allowed()}
    source = one_of("Source", sources, "folder_source")
    if source == HERE:
        path = path_here("/home/me/photos", "A folder on the machine that runs the app, with all below it.")
        if st.button("Start", type="primary", icon=":material/play_arrow:", disabled=not path) and path:
            attempt(lambda: begin(path.name or str(path), path))
    else:
        take_uploads(folder=source == FOLDER)
    upload_note("Pictures stay")
    earlier_jobs(results.FOLDER)


def take_uploads(*, folder: bool) -> None:
    """Ask for files or a folder, and begin."""
    visit = st.session_state.get("folder_visit", 0)  # a new number empties the widget, and with it the memory
    uploads = st.file_uploader(
        "Photos",
        sorted(IMAGE_SUFFIXES) + ([] if folder else [".zip"]),
        accept_multiple_files="directory" if folder else True,
        label_visibility="collapsed",
        key=f"folder_uploads {folder} {visit}",
    )
    count = f" with {len(uploads):,} file{'s' * (len(uploads) > 1)}" if uploads else ""
    if st.button(f"Start{count}", type="primary", icon=":material/play_arrow:", disabled=not uploads):
        st.session_state["folder_visit"] = visit + 1
        title = uploads[0].name if len(uploads) == 1 else f"{len(uploads):,} files"
        attempt(lambda: begin(title, uploads=uploads))


def begin(title: str, source: Path | None = None, uploads: "Sequence[UploadedFile]" = ()) -> None:
    """Make a job for the model and the faces that this visitor chose, and start it.

    Args:
        title: what people call it.
        source: a folder of this machine.
        uploads: all of them are in the job, or there is no job.
    """
    made = collection.create(jobs_folder(KIND), checkpoint_path(), title, source, chosen_faces())
    bar = st.empty()
    with filling(made.folder, KIND) as most_bytes:
        for number, upload in enumerate(uploads):
            bar.progress(number / len(uploads), f"Keeping {literal(upload.name)}")
            collection.add_upload(made.folder, upload.name, upload, most_bytes)
    begin_kept(made.folder, results.FOLDER, title, lambda: collection.start(made.folder))


def title_of(seen: JobView[Request]) -> str:
    """Return what people call a job."""
    return seen.request.title if seen.request else "Photos that cannot be read any more"


def done_of(seen: JobView[Request]) -> str:
    """Say how much of a job is done: "12 of 24", or "0" before anything is known."""
    return f"{seen.status.done:,.0f}{f' of {seen.status.total:,.0f}' * bool(seen.status.total)}"
