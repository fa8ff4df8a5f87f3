"""The first half of the video page: choose a video and what of it to look at, or go back to an earlier one."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from fer.errors import FerError, VideoError
from fer.jobs.job import delete, stop, views
from fer.jobs.status import FINISHED, RUNNING, STARTING
from fer.video.io.files import VideoFile
from fer.video.job import KIND, VideoRequest, begin, keep_upload, new_job, upload_path
from fer.video.settings import ClipOptions
from pages.parts.models import checkpoint_path, chosen_faces, model_info
from pages.parts.permissions import training_allowed
from pages.parts.places import videos_folder
from pages.parts.samples import sample_clip
from pages.parts.session import FILES_AS_THEY_ARE, attempt, errors_shown, forget_upload
from pages.parts.video_result import clock
from pages.parts.widgets import literal, one_of, path_here, threshold_slider, whole_number

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

JOB, SESSION_JOB = "job", "video_job"
"""What the address and the session call the job that is looked at."""
ICONS = {STARTING: "directions_run", RUNNING: "directions_run", FINISHED: "check_circle"}
UPLOAD, HERE, SAMPLE = "Upload", "On this machine", "Sample"
SOURCES = {
    UPLOAD: ":material/upload: Upload",
    HERE: ":material/folder: On this machine",
    SAMPLE: ":material/movie: Sample",
}
UPLOAD_MB = 1000
KINDS = ["video", "mkv", "avi", "ts", "mts", "flv", "wmv", "gif"]  # what a browser calls a video, and what some do not
PREVIEW_PX = 480
PACES: dict[str, dict[str, float]] = {
    "every frame": {},
    "every 2nd frame": {"every": 2},
    "every 3rd frame": {"every": 3},
    "every 5th frame": {"every": 5},
    "every 10th frame": {"every": 10},
    "at most 15 a second": {"per_second": 15},
    "at most 10 a second": {"per_second": 10},
    "at most 5 a second": {"per_second": 5},
    "at most 2 a second": {"per_second": 2},
}


@dataclass(frozen=True, eq=False)
class Chosen:
    """What a video says of itself, and its first picture."""

    preview: np.ndarray
    size_wh: tuple[int, int]
    frames_per_second: float
    seconds: float | None


@st.cache_data(max_entries=20, show_spinner=False, hash_funcs=FILES_AS_THEY_ARE)
def look_at(path: Path) -> Chosen:
    """Read what a video says of itself and its first picture.

    Raises:
        VideoError: it is none.
    """
    try:
        with closing(VideoFile(path, PREVIEW_PX)) as file:
            return Chosen(file.first_image, file.size_wh, file.frames_per_second, file.seconds_expected)
    except VideoError as error:  # where an upload is kept is nobody's business
        raise VideoError(str(error).replace(str(path), path.name)) from error


def choose() -> None:
    """Ask for a video."""
    sources = {name: shown for name, shown in SOURCES.items() if name != HERE or training_allowed()}
    source = one_of("Source", sources, "video_source")
    if source == HERE:
        path = path_here("/home/me/clip.mp4", "A video on the machine that runs the app. It is not copied.")
        if path and st.button("Open", type="primary", icon=":material/movie:"):
            attempt(partial(take, path))
    elif source == SAMPLE:
        st.markdown("Ten seconds of a drawn person whose expression changes four times.")
        if st.button("Use the sample", type="primary", icon=":material/movie:"):
            with st.spinner("Drawing it …"):
                attempt(take_sample)
    else:
        visit = st.session_state.get("video_visit", 0)
        upload = st.file_uploader(
            "A video", KINDS, max_upload_size=UPLOAD_MB, label_visibility="collapsed",
            key=f"video upload {visit}",
        )  # fmt: skip
        if upload:
            st.session_state["video_visit"] = visit + 1  # an empty widget afterwards: its file is on the disk now
            with st.spinner("Opening the video …"):
                attempt(lambda: take_upload(upload))
    st.caption(
        ":material/lock: The video stays on the machine that runs the app. An upload is kept until you delete it, at "
        "most a week, so that the work goes on when you close the page."
    )


def take_upload(upload: "UploadedFile") -> None:
    """Copy an upload to the disk, as it would take memory for as long as it is there.

    Raises:
        FerError: it is no video, or the disk is full.
    """
    take(upload_path(upload.name), lambda folder, request: keep_upload(folder, request, upload.getbuffer()))
    upload.close()
    forget_upload(upload.file_id)


def take_sample() -> None:
    def draw(folder: Path, request: VideoRequest) -> None:
        (folder / request.path).parent.mkdir()
        sample_clip(folder / request.path)

    take(upload_path("sample.mp4"), draw)


def take(path: Path, keep: Callable[[Path, VideoRequest], None] | None = None) -> None:
    """Make a job of a video, without starting it, and show it from now on.

    Args:
        path: of the video, see `VideoRequest.path`.
        keep: puts an upload there.

    Raises:
        FerError: it is no video, or there is no room for it.
    """
    request = VideoRequest(path, checkpoint_path(), ClipOptions(), chosen_faces())
    folder = new_job(videos_folder(), request)
    try:
        if keep:
            keep(folder, request)
        look_at(folder / path)
    except FerError:
        delete(folder, KIND)
        raise
    st.session_state.setdefault("video_jobs", []).append(folder.name)
    st.session_state[SESSION_JOB] = folder.name


def earlier_jobs() -> None:
    """List the jobs of this visitor, and all of them for those who sit at the machine."""
    mine, allowed = st.session_state.get("video_jobs", []), training_allowed()
    earlier = [seen for seen in views(videos_folder(), KIND) if seen.request and (allowed or seen.name in mine)]
    if earlier:
        st.subheader("Earlier ones", divider="gray")
    for seen in earlier:
        with st.container(horizontal=True, vertical_alignment="center"):
            name = literal(seen.request.path.name) if seen.request else ""
            st.markdown(f":material/{ICONS.get(seen.state, 'pause_circle')}: {name}", width="stretch")
            if st.button("Open", key=f"open {seen.name}", icon=":material/movie:"):
                st.session_state[SESSION_JOB] = seen.name
                st.rerun()
            if st.button("Delete", key=f"delete {seen.name}", icon=":material/delete:"):
                attempt(partial(remove, seen.folder))


def remove(folder: Path) -> None:
    """End a job and delete all that is known of it; a video of this machine stays."""
    stop(folder, KIND)
    delete(folder, KIND)


def prepare(folder: Path, request: VideoRequest) -> None:
    """Show what was chosen, ask what to look at, and start."""
    chosen = None
    with errors_shown():
        chosen = look_at(folder / request.path)
    if chosen is None:
        if st.button("Remove", icon=":material/close:"):
            attempt(lambda: remove(folder))
        return
    left, right = st.columns([2, 3], gap="large")
    with left:
        st.image(chosen.preview, alt=f"the first frame of {request.path.name}")
    with right:
        st.markdown(f"**{request.path.name}**")
        length = f"{clock(chosen.seconds)} · " if chosen.seconds else ""
        st.caption(
            f"{length}{chosen.size_wh[0]} × {chosen.size_wh[1]} pixels · {chosen.frames_per_second:.4g} frames a second"
        )
        options = chosen_options(chosen)
        with st.container(horizontal=True):
            if st.button("Analyse", type="primary", icon=":material/play_arrow:", disabled=options is None) and options:
                asked = VideoRequest(request.path, checkpoint_path(), options, chosen_faces())
                attempt(lambda: begin(folder, asked))
            if st.button("Remove", icon=":material/close:"):
                attempt(lambda: remove(folder))


def chosen_options(chosen: Chosen) -> ClipOptions | None:
    usual = ClipOptions()
    with st.expander("Options", icon=":material/tune:"):
        first, end = 0.0, usual.to_seconds
        if chosen.seconds and chosen.seconds > 1:
            last = float(np.ceil(chosen.seconds * 10) / 10)
            first, chosen_end = st.slider("From – to", 0.0, last, (0.0, last), 0.1, "%.1f s")
            end = chosen_end if chosen_end < last else end
        pace = st.selectbox(
            "Look at",
            list(PACES),
            help="Fewer frames are faster; in the annotated video the others show what was seen last.",
        )
        smallest = whole_number(
            "Smallest face", 3, 50, 100 * usual.smallest_face, "%",
            "Its height as a share of the picture's shorter side. Small faces take more time to find.",
        )  # fmt: skip
        threshold = threshold_slider(model_info().unsure_below, "In the annotated video, a face")
        rejoin = st.toggle(
            "People who come back keep their number",
            usual.rejoin,
            help="Told by the colours of hair and clothes. Off: whoever was away for over a second is somebody new.",
        )
    with errors_shown():
        return ClipOptions(
            first,
            end,
            every=int(PACES[pace].get("every", 1)),
            per_second=PACES[pace].get("per_second"),
            smallest_face=smallest / 100,
            threshold=threshold,
            rejoin=rejoin,
        )
    return None
