"""A video file in, a timeline of every person's expressions out."""

import re
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from fer.draw.frame import draw_live
from fer.errors import VideoError
from fer.video.clip import ClipOptions
from fer.video.clip_job import ClipJob
from fer.video.io.files import VideoFile
from pages.parts.models import choose_model, load_engine, model_info
from pages.parts.navigation import through_entry
from pages.parts.permissions import training_allowed
from pages.parts.samples import sample_clip
from pages.parts.session import attempt, forget_upload, presence, show_failure
from pages.parts.video_result import clock, show_result
from pages.parts.widgets import duration

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

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
    """A video that somebody chose, and what it says of itself."""

    path: Path
    preview: np.ndarray
    size_wh: tuple[int, int]
    frames_per_second: float
    seconds: float | None
    folder: "tempfile.TemporaryDirectory[str] | None" = None
    """Where an upload is kept; is removed when nobody holds it any more, as when the page was closed."""


def look_at(path: Path, folder: "tempfile.TemporaryDirectory[str] | None" = None) -> Chosen:
    """Read what a video says of itself and its first picture.

    Raises:
        VideoError: it is none.
    """
    try:
        with closing(VideoFile(path, PREVIEW_PX)) as file:
            return Chosen(path, file.first_image, file.size_wh, file.frames_per_second, file.seconds_expected, folder)
    except VideoError as error:  # where an upload is kept is nobody's business
        raise VideoError(str(error).replace(str(path), path.name)) from error


def choose() -> None:
    """Ask for a video."""
    sources = [UPLOAD, *([HERE] if training_allowed() else []), SAMPLE]
    source = st.segmented_control(
        "Source", sources, format_func=SOURCES.__getitem__, default=UPLOAD, required=True, label_visibility="collapsed",
        key="video_source",
    )  # fmt: skip
    if source == HERE:
        path = st.text_input(
            "Path", placeholder="/home/me/clip.mp4", help="A video on the machine that runs the app. It is not copied."
        ).strip()
        if path and st.button("Open", type="primary", icon=":material/movie:"):
            attempt(lambda: take(look_at(Path(path).expanduser().absolute())))
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
        ":material/lock: The video stays on the machine that runs the app. An upload is kept in a temporary folder "
        "until you remove it or close the page."
    )


def new_folder() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(prefix="fer-upload-", ignore_cleanup_errors=True)


def take_upload(upload: "UploadedFile") -> None:
    """Copy an upload to the disk, as it would take memory for as long as it is there.

    Raises:
        VideoError: it is no video, or the disk is full.
    """
    folder = new_folder()
    copy = Path(folder.name) / (re.sub(r"[^\w. -]+", "-", upload.name).strip(". ")[-100:] or "video")
    try:
        copy.write_bytes(upload.getbuffer())
    except OSError as error:
        raise VideoError(f"{upload.name} cannot be kept: {error.strerror}. Make room on this machine.") from error
    upload.close()
    forget_upload(upload.file_id)
    take(look_at(copy, folder))


def take_sample() -> None:
    folder = new_folder()
    path = Path(folder.name) / "sample.mp4"
    sample_clip(path)
    take(look_at(path, folder))


def take(chosen: Chosen) -> None:
    st.session_state["video_chosen"] = chosen


def forget() -> None:
    """Begin anew: the video, what was seen and the annotated copy go."""
    forget_result()
    chosen: Chosen | None = st.session_state.pop("video_chosen", None)
    if chosen and chosen.folder:
        chosen.folder.cleanup()


def forget_result() -> None:
    job: ClipJob | None = st.session_state.pop("video_job", None)
    if job:
        job.close()
    for key in ("video_moment", "video_person", "video_bytes", "video_bytes_of"):
        st.session_state.pop(key, None)


def prepare(chosen: Chosen) -> None:
    """Show what was chosen, ask what to look at, and start."""
    left, right = st.columns([2, 3], gap="large")
    with left:
        st.image(chosen.preview, alt=f"the first frame of {chosen.path.name}")
    with right:
        st.markdown(f"**{chosen.path.name}**")
        length = f"{clock(chosen.seconds)} · " if chosen.seconds else ""
        st.caption(
            f"{length}{chosen.size_wh[0]} × {chosen.size_wh[1]} pixels · {chosen.frames_per_second:.4g} frames a second"
        )
        options = chosen_options(chosen)
        with st.container(horizontal=True):
            if st.button("Analyse", type="primary", icon=":material/play_arrow:", disabled=options is None) and options:
                start(chosen, options)
                st.rerun()
            if st.button("Remove", icon=":material/close:"):
                forget()
                st.rerun()


def start(chosen: Chosen, options: ClipOptions) -> None:
    st.session_state["video_job"] = ClipJob(chosen.path, load_engine().recognizer, options, draw_live, presence())


def chosen_options(chosen: Chosen) -> ClipOptions | None:
    usual = ClipOptions()
    with st.expander("Options", icon=":material/tune:"):
        begin, end = 0.0, usual.to_seconds
        if chosen.seconds and chosen.seconds > 1:
            last = float(np.ceil(chosen.seconds * 10) / 10)
            begin, chosen_end = st.slider("From – to", 0.0, last, (0.0, last), 0.1, "%.1f s")
            end = chosen_end if chosen_end < last else end
        pace = st.selectbox(
            "Look at",
            list(PACES),
            help="Fewer frames are faster; in the annotated video the others show what was seen last.",
        )
        smallest = st.slider(
            "Smallest face",
            3,
            50,
            round(100 * usual.smallest_face),
            format="%d %%",
            help="Its height as a share of the picture's shorter side. Small faces take more time to find.",
        )
        threshold = st.slider(
            "Confidence threshold",
            0,
            100,
            round(100 * model_info().unsure_below),
            format="%d %%",
            help="In the annotated video, a face whose most likely expression is less likely is called unsure.",
        )
        rejoin = st.toggle(
            "People who come back keep their number",
            usual.rejoin,
            help="Told by the colours of hair and clothes. Off: whoever was away for over a second is somebody new.",
        )
    try:
        return ClipOptions(
            begin,
            end,
            every=int(PACES[pace].get("every", 1)),
            per_second=PACES[pace].get("per_second"),
            smallest_face=smallest / 100,
            threshold=threshold / 100,
            rejoin=rejoin,
        )
    except VideoError as error:
        st.error(str(error), icon=":material/error:")
        return None


def show_progress(job: ClipJob) -> None:
    """Show how far it is; when it is done, show the page anew."""
    if job.done:
        st.rerun()
    now = job.progress()
    if now.waiting:
        text = "Waiting for its turn …"
    else:
        people = "nobody yet" if not now.people else "1 person" if now.people == 1 else f"{now.people} people"
        left = f" · about {duration(now.seconds_left)} left" if now.seconds_left is not None else ""
        text = f"{clock(now.video_seconds)} · {people} · {now.speed:.1f} × real time{left}"
    st.progress(now.share or 0.0, text)
    if st.button("Cancel", icon=":material/stop:", help="What was seen up to here is kept.", key="video_cancel"):
        job.cancel()
        job.wait(2)
        st.rerun()


through_entry("pages/video.py")
st.title("Video")
show_failure()
chosen: Chosen | None = st.session_state.get("video_chosen")
job: ClipJob | None = st.session_state.get("video_job")
if chosen is None:
    choose_model()
    choose()
elif job is None:
    choose_model()
    load_engine()  # while somebody looks at the options
    prepare(chosen)
elif not job.done:
    st.markdown(f"**{chosen.path.name}**")
    st.fragment(show_progress, run_every=0.5)(job)
    st.caption("It goes on while you look at other pages.")
else:
    with st.container(horizontal=True):
        if st.button("Another video", icon=":material/movie:"):
            forget()
            st.rerun()
        if st.button("Analyse it again", icon=":material/tune:", help="With other options."):
            forget_result()
            st.rerun()
    show_result(job)
