"""A video file in, a timeline of every person's expressions out."""

from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import streamlit as st

from fer.jobs.job import JobView, is_begun, stop
from fer.jobs.status import FAILED, FINISHED, INTERRUPTED, STOPPED, Status
from fer.results.result import Result
from fer.video.job import KIND, PREVIEW_NAME, TIMELINE_NAME, VideoRequest, job_anew
from fer.video.notes import is_drawn_as_noted
from pages.parts.jobs import ICONS, progress_text, watch
from pages.parts.kept_jobs import delete_job, filling, job_looked_at, keep_found, leave, resume
from pages.parts.models import choose_model
from pages.parts.navigation import begin_page
from pages.parts.permissions import for_visitor
from pages.parts.result_actions import show_undo
from pages.parts.results import result_store
from pages.parts.session import attempt, errors_shown
from pages.parts.video_new import choose, prepare
from pages.parts.video_readings import Source
from pages.parts.video_result import show_result, timeline_at
from pages.parts.visitor import owner
from pages.parts.widgets import clock, counted, download, literal


def progress(status: Status) -> str:
    """Say how far a video is, and what was seen in it."""
    figures = {"people": 0.0, "speed": 0.0, "video_seconds": 0.0} | status.figures
    if status.figures:
        people = round(figures["people"])
        crowd = counted(people, "person", "people") if people else "nobody yet"
        speed = f"{figures['speed']:.1f} × real time"
        status = replace(status, what=f"{clock(figures['video_seconds'])} · {crowd} · {speed}")
    return progress_text(status)


def show_preview(path: Path) -> None:
    """Show the picture that was drawn last, if there is one."""
    with suppress(OSError):  # it may go at any moment, and the next second has another one
        st.image(path.read_bytes(), width=480, alt="the picture that is being looked at")


def look_again(seen: JobView[VideoRequest], request: VideoRequest) -> None:
    """Make another job of the same video; what was seen stays."""
    made = job_anew(seen.folder, request)
    leave(KIND)
    with filling(made, KIND):
        pass


def offer_video(seen: JobView[VideoRequest], request: VideoRequest, result: Result | None) -> None:
    """Offer the annotated video, or to draw it again if it does not show the latest notes."""
    video, as_noted = request.annotated(seen.folder), is_drawn_as_noted(seen.folder)
    if video.is_file() and as_noted:
        download("Annotated video (MP4)", video.read_bytes, video.name, "movie")
    elif not seen.active and not is_cut_short(seen) and (seen.folder / request.path).is_file():
        about = "Draws the video again with your names, merges and hidden people. This takes a while."
        if st.button("Export video", icon=":material/movie:", help=about):
            drawing = replace(seen, request=replace(request, draws_only=True))
            attempt(lambda: resume(drawing, result))
    elif not as_noted and not seen.active:
        st.caption(
            "The annotated video does not show your changes. The original is gone, so it cannot be exported again."
        )


def is_cut_short(seen: JobView[VideoRequest]) -> bool:
    """Whether a job broke off and may start again, for example because the disk was full."""
    return seen.state == INTERRUPTED or (seen.state == STOPPED and bool(seen.message))


def show_job(seen: JobView[VideoRequest], request: VideoRequest, result: Result | None) -> None:
    """Show how far a job is, or what it has seen."""
    if seen.active:
        st.markdown(f"**{literal(request.path.name)}**")
        watch(seen, KIND, text=progress)
        if not request.draws_only:
            st.fragment(show_preview, run_every=1.0)(seen.folder / PREVIEW_NAME)
        about = None if request.draws_only else "What was seen up to here is kept."
        if st.button("Cancel", icon=":material/stop:", help=about):
            attempt(lambda: stop(seen.folder, KIND))
        st.caption("You may close this page: it goes on, and this address shows it again.")
        if request.draws_only:
            show_seen_by(seen, request, result)
        return
    with st.container(horizontal=True):
        if st.button("Another video", icon=":material/movie:"):
            leave(KIND)
            st.rerun()
        kept = (seen.folder / request.path).exists()  # that of a visitor who had left is gone
        if kept and st.button("Analyse it again", icon=":material/tune:", help="With other options."):
            attempt(lambda: look_again(seen, request))
        delete_job(seen, KIND, result, f"What was seen {'and the uploaded video are' if request.is_upload else 'is'}")
    if seen.state == FAILED:
        st.error(for_visitor(seen.message), icon=ICONS[FAILED])
    elif is_cut_short(seen):
        st.warning(f"It was interrupted. {for_visitor(seen.message)}", icon=ICONS[seen.state])
        if st.button("Start again", type="primary", icon=":material/play_arrow:"):
            attempt(lambda: resume(seen, result))
    show_seen_by(seen, request, result)


def show_seen_by(seen: JobView[VideoRequest], request: VideoRequest, result: Result | None) -> None:
    """Show what a job has seen."""
    timeline = timeline_at(seen.folder / TIMELINE_NAME)
    if timeline and timeline.frames:
        if st.session_state.get("video_shown") is not timeline:
            st.session_state["video_shown"] = timeline
            for key in ("video_moment", "video_person"):
                st.session_state.pop(key, None)

        def found_anew() -> None:
            if result:
                keep_found(result_store(), result, seen)

        source = Source(seen.folder / request.path, request.checkpoint)
        offer = partial(offer_video, seen, request, result)
        show_result(seen.folder, timeline, request.annotated(seen.folder), source, found_anew, offer)
    elif seen.state in (STOPPED, FINISHED):
        why = "it was cancelled at once" if seen.state == STOPPED else "no frame lies in that part of the video"
        st.info(f"Nothing was looked at: {why}.", icon=":material/search_off:")


begin_page("pages/video.py", "Video")
with errors_shown():
    seen, result = job_looked_at(KIND)
    if seen is None:
        choose_model()
        choose()
    elif seen.request is None:
        st.error(for_visitor(seen.message), icon=ICONS[seen.state])
        delete_job(seen, KIND, result, "What is left of it is")
    elif is_begun(seen.folder):
        show_job(seen, seen.request, result)
    else:
        choose_model()
        prepare(seen.folder, seen.request)
    show_undo(result_store(), owner())
