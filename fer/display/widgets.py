"""What several pages show. Outside of the pages this is the only module that imports Streamlit."""

import atexit
import base64
import gc
import html
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import streamlit as st
from PIL import Image
from streamlit.navigation.page import StreamlitPage

from fer.datasets.drawing import draw_face
from fer.errors import CheckpointError, ConnectionSettingsError
from fer.evaluation.report import Report, read_report
from fer.images import encode_png
from fer.labels import FERPLUS, color_of
from fer.model import DEFAULT_CHECKPOINT, DEFAULT_REPORT
from fer.model.checkpoint import ModelInfo, read_info

if TYPE_CHECKING:
    from fer.recognition.recognizer import Recognizer
    from fer.video.live import LiveEngine

CHECKPOINT_VARIABLE = "FER_CHECKPOINT"
"""Environment variable with the path of another model file for the app."""


_LEGEND_SEEDS = (8, 12, 13, 7, 11, 12, 13, 8)
"""Of the drawn people in the legend, chosen for clear pictures of different people."""


def navigation() -> StreamlitPage:
    """Set up the app's pages and return the one that is asked for."""
    global _entry_has_run
    _entry_has_run = True
    return st.navigation(
        [
            st.Page("pages/home.py", title="Home", icon=":material/home:", default=True),
            st.Page("pages/photo.py", title="Photo", icon=":material/photo_camera:"),
            st.Page("pages/webcam.py", title="Webcam", icon=":material/videocam:"),
        ]
    )


_entry_has_run = False


def through_entry(page: str) -> None:
    """Go through the entry of the app where Streamlit has started a page alone; the first call of every page.

    If the first visitor of a server opens the address of a page, Streamlit takes the files in pages/ for an app of the
    older kind, without our titles, layout and navigation, and does so until the entry has called st.navigation.

    Args:
        page: its file, from the folder of the app.
    """
    if not _entry_has_run:
        navigation()
        st.switch_page(page)


@st.cache_data(show_spinner=False)
def app_icon() -> Image.Image:
    """Return the icon of the browser's tab. One of Streamlit's own would be fetched from the internet."""
    return Image.fromarray(draw_face("happiness", np.random.default_rng(_LEGEND_SEEDS[1]), size_px=64, strength=1.0))


def checkpoint_path() -> Path:
    """Return the model file that the app uses."""
    return Path(os.environ.get(CHECKPOINT_VARIABLE) or DEFAULT_CHECKPOINT)


def model_info() -> ModelInfo:
    """Return what the app's model says of itself, or show the error and end the page."""
    try:
        return read_info(checkpoint_path())
    except CheckpointError as error:
        _no_model(error)


def shipped_report() -> Report | None:
    """Return the evaluation that was shipped with the model, or None where another model is used."""
    if checkpoint_path() != DEFAULT_CHECKPOINT or not DEFAULT_REPORT.is_file():
        return None
    return read_report(DEFAULT_REPORT)


def load_recognizer() -> "Recognizer":
    """Return the recognizer that all viewers share, or show the error and end the page."""
    path = checkpoint_path()
    try:
        return _recognizer(path, path.stat().st_mtime_ns if path.is_file() else 0)
    except CheckpointError as error:
        _no_model(error)


@st.cache_resource(max_entries=1, show_spinner="Loading the model …")
def _recognizer(path: Path, changed_ns: int) -> "Recognizer":
    import torch  # here, so that pages without a model open at once

    from fer.recognition.recognizer import Recognizer

    # Two threads of a network on cores that also serve pages wait for each other: 10 to 20 times slower.
    torch.set_num_threads(1)
    return Recognizer.load(path)


def load_engine() -> "LiveEngine":
    """Return what runs the model for the videos of all viewers, or show the error and end the page."""
    return _engine(load_recognizer())


@st.cache_resource(max_entries=1, show_spinner=False, hash_funcs={"fer.recognition.recognizer.Recognizer": id})
def _engine(recognizer: "Recognizer") -> "LiveEngine":
    from fer.video.live import LiveEngine

    engine = LiveEngine(recognizer.for_video())
    # Streamlit collects garbage after each run of a script, so every second beside a live video. Going through all that
    # torch made takes 0.3 seconds in which every other thread waits. Frozen, it is passed over.
    gc.collect()
    gc.freeze()
    atexit.register(gc.unfreeze)  # else libraries complain of leaks when the app ends
    # A thread that comes back from a network or from OpenCV waits this long for one that runs Python; usual are 5 ms.
    sys.setswitchinterval(0.0005)
    return engine


def ice_servers() -> list[dict[str, Any]]:
    """Return the servers for WebRTC, or show what is wrong with them and end the page."""
    from fer.video import connection

    text = os.environ.get(connection.ICE_SERVERS_VARIABLE)
    if text is None and st.secrets.load_if_toml_exists():
        text = st.secrets.get(connection.ICE_SERVERS_VARIABLE)
    try:
        return connection.ice_servers(text)
    except ConnectionSettingsError as error:
        st.error(str(error), icon=":material/lan:")
        st.stop()


def expression_legend(labels: tuple[str, ...]) -> None:
    """Show each label in its colour, under a drawn face that makes it where there is one."""
    entries = "".join(map(_legend_entry, labels))
    st.html(
        '<div style="display:grid;grid-template-columns:repeat(auto-fill,minmax(80px,1fr));gap:.75rem;max-width:64rem">'
        f"{entries}</div>"
    )


@st.cache_data(show_spinner=False)
def _legend_entry(label: str) -> str:
    picture = ""
    if label in FERPLUS:
        person = np.random.default_rng(_LEGEND_SEEDS[FERPLUS.index(label)])
        encoded = base64.b64encode(encode_png(draw_face(label, person, size_px=96, strength=1.0))).decode()
        style = "display:block;width:100%;border-radius:.6rem .6rem 0 0"
        picture = f'<img src="data:image/png;base64,{encoded}" alt="" style="{style}">'
    return (
        f"<div>{picture}"
        f'<div style="border-bottom:.3rem solid {color_of(label)};padding:.2rem 0;text-align:center;font-size:.9rem">'
        f"{html.escape(label)}</div></div>"
    )


def _no_model(error: CheckpointError) -> NoReturn:
    st.error(str(error), icon=":material/error:")
    st.caption(f"The app's model is {checkpoint_path().name}; set {CHECKPOINT_VARIABLE} to use another file.")
    st.stop()


def privacy_note() -> None:
    """Say where pictures go: nowhere."""
    st.caption(
        ":material/lock: Pictures stay on this machine. They are held in memory while the page is open, then gone."
    )
