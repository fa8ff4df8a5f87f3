"""The first half of the video page: choose a video and options for it, or open an earlier one."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from fer.errors import VideoError
from fer.names import literal
from fer.results.result import VIDEO
from fer.video.io.files import VideoFile
from fer.video.job import KIND, VideoRequest, begin, keep_upload, new_job, upload_path
from fer.video.settings import ClipOptions
from pages.parts.jobs import jobs_folder, remove
from pages.parts.kept_jobs import begin_kept, earlier_jobs, filling, upload_note
from pages.parts.models import checkpoint_path, chosen_faces, model_info
from pages.parts.neutral import NO_NEUTRAL, OWN_NEUTRAL
from pages.parts.permissions import training_allowed
from pages.parts.samples import sample_clip
from pages.parts.session import FILES_AS_THEY_ARE, attempt, errors_shown, forget_upload
from pages.parts.widgets import clock, one_of, path_here, smallest_face, threshold_slider

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

UPLOAD, HERE, SAMPLE = "Upload", "On this machine", "Sample"
SOURCES = {
    UPLOAD: ":material/upload: Upload",
    HERE: ":material/folder: On this machine",
    SAMPLE: ":material/movie: Sample",
}
VIDEO_SUFFIXES = [
    "video",
    "mkv",
    "avi",
    "ts",
    "mts",
    "flv",
    "wmv",
    "gif",
]  # everything that browsers call a video, and suffixes that some do not
PREVIEW_PX = 480
PACES: dict[str, tuple[int, float | None]] = {
    "every frame": (1, None),
    **{f"every {nth} frame": (n, None) for n, nth in ((2, "2nd"), (3, "3rd"), (5, "5th"), (10, "10th"))},
    **{f"at most {n} per second": (1, n) for n in (15, 10, 5, 2)},
}
"""Option → analyze every nth frame, and at most this many per second."""


@dataclass(frozen=True, eq=False)
class Chosen:
    """A video's first picture and properties."""

    preview: np.ndarray
    size_wh: tuple[int, int]
    frames_per_second: float
    seconds: float | None


@st.cache_data(max_entries=2, show_spinner=False, hash_funcs=FILES_AS_THEY_ARE, scope="session")
def look_at(path: Path) -> Chosen:
    """Read a video's first picture and properties.

    Raises:
        VideoError: the file is not a video.
    """
    try:
        with closing(VideoFile(path, PREVIEW_PX)) as file:
            return Chosen(file.first_image, file.size_wh, file.frames_per_second, file.seconds_expected)
    except VideoError as error:  # do not reveal where uploads are kept
        raise VideoError(str(error).replace(str(path), path.name)) from error


def choose() -> None:
    """Ask for a video."""
    sources = {name: shown for name, shown in SOURCES.items() if name != HERE or training_allowed()}
    source = one_of("Source", sources, "video_source")
    if source == HERE:
        path = path_here("/home/me/video.mp4", "A video on the machine that runs the app. It is not copied.")
        if path and st.button("Open", type="primary", icon=":material/movie:"):
            attempt(partial(take, path))
    elif source == SAMPLE:
        st.markdown("A drawn person whose expression changes four times in ten seconds.")
        if st.button("Use the sample", type="primary", icon=":material/movie:"):
            with st.spinner("Drawing the sample …"):
                attempt(lambda: take(upload_path("sample.mp4"), draw_sample))
    else:
        visit = st.session_state.get("video_visit", 0)
        upload = st.file_uploader("Video", VIDEO_SUFFIXES, label_visibility="collapsed", key=f"video upload {visit}")
        if upload:
            st.session_state["video_visit"] = visit + 1  # empties the widget, because the file is then on the disk
            with st.spinner("Opening the video …"):
                attempt(lambda: take_upload(upload))
    upload_note("The video stays")
    earlier_jobs(VIDEO)


def take_upload(upload: "UploadedFile") -> None:
    """Move an upload from memory to the disk.

    Raises:
        FerError: the file is not a video, or the disk is full.
    """
    take(upload_path(upload.name), lambda folder, request: keep_upload(folder, request, upload.getbuffer()))
    upload.close()
    forget_upload(upload.file_id)


def draw_sample(folder: Path, request: VideoRequest) -> None:
    """Draw the sample in place of an upload."""
    (folder / request.path).parent.mkdir()
    sample_clip(folder / request.path)


def take(path: Path, keep: Callable[[Path, VideoRequest], None] | None = None) -> None:
    """Make a job for a video, without starting it, and show it from now on.

    Args:
        path: the video, see `VideoRequest.path`.
        keep: puts an upload into the job's folder.

    Raises:
        FerError: the file is not a video, or there is no room for it.
    """
    request = VideoRequest(path, checkpoint_path(), ClipOptions(), chosen_faces())
    folder = new_job(jobs_folder(KIND), request)
    with filling(folder, KIND):
        if keep:
            keep(folder, request)
        look_at(folder / path)


def prepare(folder: Path, request: VideoRequest) -> None:
    """Show the chosen video, ask for options, and start the analysis."""
    left, right = st.columns([2, 3], gap="large")
    with right:
        st.markdown(f"**{literal(request.path.name)}**")
        options = None
        with errors_shown():
            chosen = look_at(folder / request.path)
            left.image(chosen.preview, alt=f"First frame of {request.path.name}")
            length = f"{clock(chosen.seconds)} · " if chosen.seconds else ""
            size, pace = "{} × {}".format(*chosen.size_wh), f"{chosen.frames_per_second:.4g}"
            st.caption(f"{length}{size} pixels · {pace} frames per second")
            options = chosen_options(chosen.seconds)
        with st.container(horizontal=True):
            if options and st.button("Analyze", type="primary", icon=":material/play_arrow:"):
                asked = VideoRequest(request.path, checkpoint_path(), options, chosen_faces())
                name = request.path.name
                attempt(lambda: begin_kept(folder, VIDEO, name, lambda: begin(folder, asked)))
            if st.button("Remove", icon=":material/close:"):
                attempt(lambda: remove(folder, KIND))


def chosen_options(seconds: float | None) -> ClipOptions:
    """Ask which part and which frames to analyze, and how.

    Args:
        seconds: length of the video, if known.

    Raises:
        VideoError: the chosen part is empty.
    """
    usual, reading = ClipOptions(), model_info().reading(chosen_faces())
    with st.expander("Settings", icon=":material/tune:"):
        first, end = 0.0, usual.to_seconds
        if seconds and seconds > 1:
            last = float(np.ceil(seconds * 10) / 10)
            first, chosen_end = st.slider("Part to analyze", 0.0, last, (0.0, last), 0.1, "%.1f s")
            end = chosen_end if chosen_end < last else end
        pace = st.selectbox(
            "Frames to analyze",
            list(PACES),
            help="Fewer frames are faster. In the annotated video, the others show the latest reading.",
        )
        smallest = smallest_face(3, usual.smallest_face)
        threshold = threshold_slider(reading.unsure_below, "In the annotated video, a face")
        rejoin = st.toggle(
            "Recognize people who return",
            usual.rejoin,
            help="By the color of their hair and clothes. If off, people who return after more than a second get a new "
            "number.",
        )
        median = st.toggle(
            "Use each person's median face as their own neutral",
            usual.median_neutral,
            disabled=not reading.neutral,
            help=f"{OWN_NEUTRAL} Works for people who show little expression most of the time, as in an interview. You "
            "can also choose a neutral moment afterwards."
            if reading.neutral
            else NO_NEUTRAL,
        )
    return ClipOptions(first, end, *PACES[pace], smallest, threshold, rejoin, median)
