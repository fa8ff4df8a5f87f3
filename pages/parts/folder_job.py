"""The second half of the Many photos page: the progress of a job. `folder_faces` shows its results."""

from pathlib import Path

import streamlit as st

from fer.collection.job import KIND, RESULTS_NAME, Request, is_upload
from fer.jobs import job
from fer.jobs.job import JobView
from fer.jobs.status import DAMAGED, FINISHED
from fer.results.journal import Finished, read_finished
from fer.results.result import Result
from pages.parts.folder_faces import show_results
from pages.parts.folder_new import done_of, title_of
from pages.parts.jobs import ICONS, watch
from pages.parts.kept_jobs import closing_note, delete_job, leave, resume
from pages.parts.permissions import for_visitor
from pages.parts.session import attempt, errors_shown


def show_job(seen: JobView[Request], result: Result | None) -> None:
    """Show the state of a job and everything it has found so far."""
    title, buttons = st.columns([3, 2], vertical_alignment="center")
    with title:
        st.text(title_of(seen))
    with buttons, st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Other photos", icon=":material/add:"):
            leave(KIND)
            st.rerun()
        uploaded = seen.request and is_upload(seen.folder, seen.request)
        what = f"The results {'and the uploaded photos ' if uploaded else ''}are"
        delete_job(seen, KIND, result, what)
    show_state(seen, result)
    path = seen.folder / RESULTS_NAME
    with errors_shown():  # the model or the results may be gone or damaged
        if seen.request and path.is_file():
            if finished := finished_at(path, path.stat().st_size):
                show_results(seen.request, finished)
            elif seen.state == FINISHED:
                st.warning("The results cannot be read. Analyze the photos again.", icon=ICONS[DAMAGED])


def show_state(seen: JobView[Request], result: Result | None) -> None:
    """Show the progress of a job with the actions for its state."""
    if seen.active:
        watch(seen, KIND)
        with st.container(horizontal=True):
            if st.button("Stop", icon=":material/stop:"):
                attempt(lambda: job.stop(seen.folder, KIND))
            if seen.status.done and st.button("Show results so far", icon=":material/refresh:"):
                st.rerun()
        closing_note(seen.folder, "annotated copies")
    elif seen.state != FINISHED:
        st.warning(f"{done_of(seen)} done. {for_visitor(seen.message)}", icon=ICONS[seen.state])
        if seen.can_resume and st.button("Resume", type="primary", icon=":material/play_arrow:"):
            attempt(lambda: resume(seen, result))


@st.cache_resource(max_entries=2, show_spinner="Reading the results …", scope="session")
def finished_at(path: Path, size: int) -> list[Finished]:
    """Return what a job has found so far, cached until the file's size in bytes changes."""
    return read_finished(path)
