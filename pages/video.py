"""A video file in, a timeline of every person's expressions out."""

from functools import partial
from pathlib import Path

import streamlit as st

from fer.jobs.job import JobView, stop, view
from fer.jobs.status import FAILED, FINISHED, INTERRUPTED, STOPPED
from fer.results.timeline import read_timeline
from fer.video.job import KIND, SKIPPING, TIMELINE_NAME, WAITING, VideoRequest, begin, begin_anew, find, is_begun
from fer.video.timeline import Timeline
from pages.parts.models import choose_model
from pages.parts.navigation import through_entry
from pages.parts.places import videos_folder
from pages.parts.session import FILES_AS_THEY_ARE, attempt, show_failure
from pages.parts.video_new import JOB, SESSION_JOB, choose, earlier_jobs, prepare, remove
from pages.parts.video_result import clock, show_result
from pages.parts.widgets import duration

TEXTS = {WAITING: "Waiting for its turn …", SKIPPING: "Going to where it begins …"}


def leave() -> None:
    """Go back to choosing a video; the job stays."""
    st.session_state.pop(SESSION_JOB, None)
    st.query_params.clear()


def show_progress(folder: Path) -> None:
    """Show how far a job is; when it is done, show the page anew."""
    seen = view(folder, KIND)
    if not seen.active:
        st.rerun()
    status, figures = seen.status, seen.status.figures
    text = TEXTS.get(status.what, "Loading the model …")
    if figures:
        people = round(figures["people"])
        crowd = "nobody yet" if not people else "1 person" if people == 1 else f"{people} people"
        left = f" · about {duration(status.seconds_left)} left" if status.seconds_left is not None else ""
        text = f"{clock(figures['video_seconds'])} · {crowd} · {figures['speed']:.1f} × real time{left}"
    st.progress(status.share, text)
    if st.button("Cancel", icon=":material/stop:", help="What was seen up to here is kept.", key="video_cancel"):
        stop(folder, KIND)
        st.rerun()


def show_end(seen: JobView[VideoRequest], request: VideoRequest) -> None:
    """Show what a job that does not go on has seen."""
    with st.container(horizontal=True):
        if st.button("Another video", icon=":material/movie:"):
            leave()
            st.rerun()
        if st.button("Analyse it again", icon=":material/tune:", help="With other options."):
            attempt(lambda: begin_anew(seen.folder, request))
        with st.popover("Delete", icon=":material/delete:"):
            st.markdown(f"What was seen {'and the uploaded video are' if request.is_upload else 'is'} deleted.")
            if st.button("Delete it", type="primary"):
                attempt(lambda: remove(seen.folder))
    if seen.state == FAILED:
        st.error(seen.message, icon=":material/error:")
    elif seen.state == INTERRUPTED:
        st.warning(f"It was interrupted. {seen.message}", icon=":material/pause_circle:")
        if st.button("Start again", type="primary", icon=":material/play_arrow:"):
            attempt(lambda: begin(seen.folder, request))
    timeline = seen_in(seen.folder / TIMELINE_NAME)
    if timeline and timeline.frames:
        if st.session_state.get("video_shown") is not timeline:
            st.session_state["video_shown"] = timeline
            for key in ("video_moment", "video_person"):
                st.session_state.pop(key, None)
        show_result(timeline, request.annotated(seen.folder))
    elif seen.state in (STOPPED, FINISHED):
        why = "it was cancelled at once" if seen.state == STOPPED else "no frame lies in that part of the video"
        st.info(f"Nothing was looked at: {why}.", icon=":material/search_off:")


@st.cache_resource(max_entries=8, show_spinner=False, hash_funcs=FILES_AS_THEY_ARE)
def seen_in(path: Path) -> Timeline | None:
    return read_timeline(path)


through_entry("pages/video.py")
st.title("Video")
# The address holds it, so that a closed tab can be opened again; the session does while other pages are looked at.
asked_for = st.query_params.get(JOB) or st.session_state.get(SESSION_JOB)
folder = find(videos_folder(), asked_for) if asked_for else None
job = view(folder, KIND) if folder else None
show_failure()
if folder is None or job is None:
    st.query_params.pop(JOB, None)
    st.session_state.pop(SESSION_JOB, None)
    choose_model()
    if asked_for:
        st.info("What was here has been deleted.", icon=":material/delete:")
    choose()
    earlier_jobs()
else:
    st.query_params[JOB] = st.session_state[SESSION_JOB] = folder.name
    if job.request is None:
        st.error(job.message, icon=":material/error:")
        if st.button("Delete", icon=":material/delete:"):
            attempt(partial(remove, folder))
    elif not is_begun(folder):
        choose_model()
        prepare(folder, job.request)
    elif job.active:
        st.markdown(f"**{job.request.path.name}**")
        st.fragment(show_progress, run_every=0.5)(folder)
        st.caption("You may close this page: it goes on, and this address shows it again.")
    else:
        show_end(job, job.request)
