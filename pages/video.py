"""Analyze a video file and show a timeline of each person's expressions."""

from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import streamlit as st

from fer.jobs.job import JobView, is_begun, stop
from fer.jobs.status import FAILED, FINISHED, INTERRUPTED, STOPPED, Status
from fer.names import literal
from fer.results.result import VIDEO, Result
from fer.video.job import KIND, PREVIEW_NAME, TIMELINE_NAME, VideoRequest, job_anew
from fer.video.notes import is_drawn_as_noted
from pages.parts.jobs import ICONS, progress_text, watch
from pages.parts.kept_jobs import closing_note, delete_job, filling, job_looked_at, keep_found, leave, resume
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
from pages.parts.widgets import clock, counted, download, fragment


def progress(status: Status) -> str:
    """Return the progress of a video, with the people seen and the speed."""
    figures = {"people": 0.0, "speed": 0.0, "video_seconds": 0.0} | status.figures
    if status.figures:
        people = round(figures["people"])
        crowd = counted(people, "person", "people") if people else "no people yet"
        speed = f"{figures['speed']:.1f} × real time"
        status = replace(status, what=f"{clock(figures['video_seconds'])} · {crowd} · {speed}")
    return progress_text(status)


def show_preview(path: Path) -> None:
    """Show the latest annotated picture, if there is one."""
    with suppress(OSError):  # the job may be replacing or removing it
        st.image(path.read_bytes(), width=480, alt="The picture being analyzed")


def look_again(seen: JobView[VideoRequest], request: VideoRequest) -> None:
    """Make another job for the same video; the first one stays."""
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
        about = "Draw the video again with your names, merges and hidden people. This takes a while."
        if st.button("Export video", icon=":material/movie:", help=about):
            drawing = replace(seen, request=replace(request, draws_only=True))
            attempt(lambda: resume(drawing, result))
    elif not as_noted and not seen.active:
        st.caption(
            "The annotated video does not show your changes. The original is gone, so it cannot be exported again."
        )


def is_cut_short(seen: JobView[VideoRequest]) -> bool:
    """Whether a job was interrupted and may start again, for example because the disk was full."""
    return seen.state == INTERRUPTED or (seen.state == STOPPED and bool(seen.message))


def show_job(seen: JobView[VideoRequest], request: VideoRequest, result: Result | None) -> None:
    """Show the progress of a job, or its timeline."""
    if seen.active:
        st.markdown(f"**{literal(request.path.name)}**")
        watch(seen, KIND, text=progress)
        if not request.draws_only:
            fragment(show_preview, run_every=1.0)(seen.folder / PREVIEW_NAME)
        about = None if request.draws_only else "The results so far are kept."
        if st.button("Cancel", icon=":material/stop:", help=about):
            attempt(lambda: stop(seen.folder, KIND))
        closing_note(seen.folder, "annotated video")
        if request.draws_only:
            show_seen_by(seen, request, result)
        return
    with st.container(horizontal=True):
        if st.button("Choose another video", icon=":material/movie:"):
            leave(KIND)
            st.rerun()
        kept = (seen.folder / request.path).exists()  # uploads are deleted after the visitor has left
        if kept and st.button("Analyze again", icon=":material/tune:", help="Choose other settings for this video."):
            attempt(lambda: look_again(seen, request))
        delete_job(seen, KIND, result, f"The results {'and the uploaded video ' if request.is_upload else ''}are")
    if seen.state == FAILED:
        st.error(for_visitor(seen.message), icon=ICONS[FAILED])
    elif is_cut_short(seen):
        st.warning(f"The analysis was interrupted. {for_visitor(seen.message)}", icon=ICONS[seen.state])
        if st.button("Start again", type="primary", icon=":material/play_arrow:"):
            attempt(lambda: resume(seen, result))
    show_seen_by(seen, request, result)


def show_seen_by(seen: JobView[VideoRequest], request: VideoRequest, result: Result | None) -> None:
    """Show the timeline of a job, as far as it got."""
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
        why = "the job was canceled too early" if seen.state == STOPPED else "the chosen part has no frames"
        st.info(f"No frame was analyzed: {why}.", icon=":material/search_off:")


begin_page("Video")
with errors_shown():
    seen, result = job_looked_at(KIND)
    if seen is None:
        choose_model()
        choose()
    elif seen.request is None:
        st.error(for_visitor(seen.message), icon=ICONS[seen.state])
        delete_job(seen, KIND, result, "The rest of this job is")
    elif is_begun(seen.folder):
        show_job(seen, seen.request, result)
    else:
        choose_model()
        prepare(seen.folder, seen.request)
    show_undo(result_store(), owner(), VIDEO)
