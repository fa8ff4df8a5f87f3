"""The first half of the page for many photos: choose them and begin, or go back to earlier ones."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from fer.collection import job as collection
from fer.collection.job import Request
from fer.errors import CollectionError
from fer.images import IMAGE_SUFFIXES
from fer.jobs.job import JobView
from pages.parts.jobs import ICONS
from pages.parts.models import checkpoint_path, chosen_faces
from pages.parts.permissions import training_allowed
from pages.parts.places import collections_folder
from pages.parts.session import attempt

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

JOB = "job"
"""What the address and the session call the job that is looked at."""
FILES, FOLDER, HERE = "Files", "Folder", "On this machine"
SOURCES = {
    FILES: ":material/upload: Files or a ZIP",
    FOLDER: ":material/drive_folder_upload: A folder",
    HERE: ":material/folder: On this machine",
}
UPLOAD_MB = 1000


def new_job() -> None:
    """Ask for photos and begin; list the earlier jobs."""
    allowed = training_allowed()
    sources = [source for source in SOURCES if source != HERE or allowed]
    source = st.segmented_control(
        "Source", sources, format_func=SOURCES.__getitem__, default=FILES, required=True,
        label_visibility="collapsed", key="folder_source",
    )  # fmt: skip
    if source == HERE:
        from_this_machine()
    else:
        uploaded(folder=source == FOLDER)
    st.caption(
        ":material/lock: Pictures stay on this machine. What you upload here is kept until you delete it, at most a "
        "week, so that the work goes on when you close the page."
    )
    earlier_jobs(allowed)


def from_this_machine() -> None:
    """Take a folder that is here already."""
    path = st.text_input(
        "Path", placeholder="/home/me/photos", help="A folder on the machine that runs the app, with all below it."
    ).strip()
    if st.button("Start", type="primary", icon=":material/play_arrow:", disabled=not path):
        source = Path(path).expanduser().absolute()
        attempt(lambda: begin(create(source.name or path, source)))


def create(title: str, source: Path | None = None) -> JobView[Request]:
    """Make a job for the model and the faces that this visitor chose."""
    return collection.create(collections_folder(), checkpoint_path(), title, source, chosen_faces())


def uploaded(*, folder: bool) -> None:
    """Take uploads."""
    visit = st.session_state.get("folder_visit", 0)  # a new number empties the widget, and with it the memory
    uploads = st.file_uploader(
        "Photos",
        sorted(IMAGE_SUFFIXES) + ([] if folder else [".zip"]),
        accept_multiple_files="directory" if folder else True,
        max_upload_size=UPLOAD_MB,
        label_visibility="collapsed",
        key=f"folder_uploads {folder} {visit}",
    )
    count = f" with {len(uploads):,} file{'s' * (len(uploads) > 1)}" if uploads else ""
    if st.button(f"Start{count}", type="primary", icon=":material/play_arrow:", disabled=not uploads):
        st.session_state["folder_visit"] = visit + 1
        attempt(lambda: begin(keep(uploads)))


def keep(uploads: "Sequence[UploadedFile]") -> JobView[Request]:
    """Put uploads into a new job; all or none of them."""
    title = uploads[0].name if len(uploads) == 1 else f"{len(uploads):,} files"
    kept = create(title)
    bar = st.progress(0.0)
    try:
        for number, upload in enumerate(uploads):
            bar.progress(number / len(uploads), f"Keeping {upload.name}")
            collection.add_upload(kept.folder, upload.name, upload)
    except CollectionError:
        collection.delete(kept.folder)
        raise
    finally:
        bar.empty()
    return kept


def begin(made: JobView[Request]) -> None:
    """Show a job from now on, and start it."""
    st.session_state[JOB] = made.name
    st.session_state.setdefault("folder_jobs", []).append(made.name)
    collection.start(made.folder)


def earlier_jobs(allowed: bool) -> None:
    """List the jobs of this visitor, and all of them for those who sit at the machine."""
    mine = st.session_state.get("folder_jobs", [])
    earlier = [seen for seen in collection.views(collections_folder()) if allowed or seen.name in mine]
    if not earlier:
        return
    st.subheader("Earlier ones", divider="gray")
    for seen in earlier:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"{ICONS[seen.state]} {_plain(title_of(seen))} · {done_of(seen)} done", width="stretch")
            if st.button("Open", key=f"open {seen.name}", icon=":material/table_view:"):
                st.session_state[JOB] = seen.name
                st.rerun()
            if st.button("Delete", key=f"delete {seen.name}", icon=":material/delete:"):
                attempt(partial(collection.delete, seen.folder))


def title_of(seen: JobView[Request]) -> str:
    """Return what people call a job."""
    return seen.request.title if seen.request else "Photos that cannot be read any more"


def done_of(seen: JobView[Request]) -> str:
    """Say how much of a job is done: "12 of 24", or "0" before anything is known."""
    return f"{seen.status.done:,.0f}{f' of {seen.status.total:,.0f}' * bool(seen.status.total)}"


def _plain(text: str) -> str:
    """Keep a file's name from being read as markup."""
    return "".join(f"\\{letter}" if letter in "\\`*_{}[]()#+-.!:~$<>|" else letter for letter in text)
