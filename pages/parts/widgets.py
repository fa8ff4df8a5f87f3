"""What several pages show. Outside of the pages this is the only module that imports Streamlit."""

import atexit
import base64
import gc
import html
import os
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import streamlit as st
from PIL import Image
from streamlit import runtime
from streamlit.navigation.page import StreamlitPage
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx

from fer.datasets.drawing import draw_face
from fer.errors import CheckpointError, ConnectionSettingsError, FerError
from fer.evaluation.report import Report, read_report
from fer.faces import Face
from fer.images import encode_png
from fer.labels import FERPLUS, color_of
from fer.model import DEFAULT_CHECKPOINT, SHIPPED, report_of
from fer.model.checkpoint import ModelInfo, read_info
from fer.model.prior import BETWEEN, EVERYDAY, POSED, correction_for
from fer.recognition.quality import concerns
from fer.training.runs import BEST_NAME
from pages.parts.permissions import ALLOW_TRAINING_VARIABLE, may_train

if TYPE_CHECKING:
    from fer.recognition.detector import FaceDetector
    from fer.recognition.recognizer import Recognizer
    from fer.video.live import LiveEngine

CHECKPOINT_VARIABLE = "FER_CHECKPOINT"
"""Environment variable with the path of another model file for the app."""
RUNS_VARIABLE, DATA_VARIABLE = "FER_RUNS", "FER_DATA"
"""Environment variables with other folders than runs/ and data/."""
_CHOSEN_MODEL, _MODEL_WIDGET, _FAILURE = "chosen_model", "model", "failure"
_CHOSEN_FACES, _FACES_WIDGET = "chosen_faces", "faces"
_FACES = {EVERYDAY: "everyday", BETWEEN: "in between", POSED: "posed or acted"}


_MODELS_AT_ONCE = 3
"""As many are kept in memory; the one that was not used for the longest time goes first."""
_LEGEND_SEEDS = (8, 12, 13, 7, 11, 12, 13, 8)
"""Of the drawn people in the legend, chosen for clear pictures of different people."""


def navigation() -> StreamlitPage:
    """Set up the app's pages and return the one that is asked for."""
    global _entry_has_run
    _entry_has_run = True
    return st.navigation(
        {
            "": [st.Page("pages/home.py", title="Home", icon=":material/home:", default=True)],
            "Look": [
                st.Page("pages/photo.py", title="Photo", icon=":material/photo_camera:"),
                st.Page("pages/folder.py", title="Many photos", icon=":material/photo_library:"),
                st.Page("pages/webcam.py", title="Webcam", icon=":material/videocam:"),
                st.Page("pages/video.py", title="Video", icon=":material/movie:"),
            ],
            "Models": [
                st.Page("pages/training.py", title="Training", icon=":material/model_training:"),
                st.Page("pages/evaluation.py", title="Evaluation", icon=":material/insights:"),
                st.Page("pages/model_card.py", title="Model card", icon=":material/description:"),
            ],
        }
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
        st.switch_page(page, query_params=st.query_params.to_dict())  # an address may say more than the page


@st.cache_data(show_spinner=False)
def app_icon() -> Image.Image:
    """Return the icon of the browser's tab. One of Streamlit's own would be fetched from the internet."""
    return Image.fromarray(draw_face("happiness", np.random.default_rng(_LEGEND_SEEDS[1]), size_px=64, strength=1.0))


def checkpoint_path() -> Path:
    """Return the model file that this visitor uses: what they chose, else the app's."""
    chosen: Path | None = st.session_state.get(_CHOSEN_MODEL)
    if chosen and chosen.is_file():  # its run may have been deleted meanwhile
        return chosen
    return _own_checkpoint()


def _own_checkpoint() -> Path:
    """Return the model file that the owner of the app has set, else the shipped one."""
    return Path(os.environ.get(CHECKPOINT_VARIABLE) or DEFAULT_CHECKPOINT)


def use_model(path: Path) -> None:
    """Take a model file for this visitor, in all pages and until the tab is closed."""
    st.session_state[_CHOSEN_MODEL] = path


def choose_model() -> None:
    """Let the visitor choose among the app's models and those that were trained here, and say whose faces they show."""
    own = _own_checkpoint()
    shipped = [path for path in SHIPPED.values() if path.is_file() and path != own]
    models = [own, *shipped, *sorted(runs_folder().glob(f"*/{BEST_NAME}"))]
    chosen = checkpoint_path()
    with st.container(horizontal=True, gap="large"):
        if len(models) > 1:
            st.session_state[_MODEL_WIDGET] = chosen if chosen in models else own
            st.selectbox(
                "Model",
                models,
                format_func=model_name,
                key=_MODEL_WIDGET,
                on_change=lambda: use_model(st.session_state[_MODEL_WIDGET]),
                help="The app's models, and those that were trained on the training page. The choice holds for you, "
                "not for other visitors.",
                width=300,
            )
        if model_info().can_be_corrected:
            _choose_faces()


def model_name(path: Path) -> str:
    """Return what people know a model file by: "FER+ · 8 expressions", the name of its run, or the app's own."""
    if path in SHIPPED.values():
        info = read_info(path)
        return f"{info.training['dataset'].partition(' (')[0]} · {len(info.labels)} expressions"
    return "the app's own" if path == _own_checkpoint() else path.parent.name


def _choose_faces() -> None:
    """Let the visitor say whose faces they look at, see `correction_for`."""

    def keep() -> None:
        st.session_state[_CHOSEN_FACES] = st.session_state[_FACES_WIDGET]

    st.session_state[_FACES_WIDGET] = chosen_faces()
    st.segmented_control(
        "Faces",
        list(_FACES),
        format_func=_FACES.__getitem__,
        key=_FACES_WIDGET,
        on_change=keep,
        required=True,
        help="In everyday pictures most faces are neutral or happy, and the model counts on it. Where people pose or "
        "act, rare expressions are as frequent as others: then fewer faces are called neutral.",
    )


def chosen_faces() -> str:
    """Return whose faces this visitor looks at, one of `KINDS_OF_FACES`; everyday ones where the model cannot tell."""
    faces: str = st.session_state.get(_CHOSEN_FACES, EVERYDAY)
    return faces if model_info().can_be_corrected else EVERYDAY


def runs_folder() -> Path:
    """Return where training runs are kept."""
    return Path(os.environ.get(RUNS_VARIABLE) or "runs").absolute()


def uploads_folder() -> Path:
    """Return where data sets that somebody uploads are kept."""
    return Path(os.environ.get(DATA_VARIABLE) or "data").absolute() / "uploads"


def collections_folder() -> Path:
    """Return where the page for many photos keeps its jobs."""
    return Path(os.environ.get(DATA_VARIABLE) or "data").absolute() / "collections"


def training_allowed() -> bool:
    """Whether this visitor may train, delete and name paths of this machine."""
    setting = _setting(ALLOW_TRAINING_VARIABLE)
    return may_train(setting, st.context.ip_address, st.context.url, st.context.headers.to_dict())


def _setting(name: str) -> str | None:
    """Return what the owner of the app has set, in the environment or else in the secrets."""
    value = os.environ.get(name)
    if value is None and st.secrets.load_if_toml_exists():
        value = st.secrets.get(name)
    return None if value is None else str(value)


def model_info() -> ModelInfo:
    """Return what the app's model says of itself, or show the error and end the page."""
    try:
        return read_info(checkpoint_path())
    except CheckpointError as error:
        _no_model(error)


def shipped_report() -> Report | None:
    """Return the evaluation that was shipped with the model, or None where another model is used."""
    path = checkpoint_path()
    return read_report(report_of(path)) if path in SHIPPED.values() and report_of(path).is_file() else None


def load_recognizer() -> "Recognizer":
    """Return the recognizer that all viewers of a model share, or show the error and end the page."""
    try:
        return _recognizer_for(*_model_key(), _correction())
    except CheckpointError as error:
        _no_model(error)


def _model_key() -> tuple[Path, int]:
    """Return the model file and when it was changed: a run that goes on writes better ones."""
    path = checkpoint_path()
    return path, path.stat().st_mtime_ns if path.is_file() else 0


@st.cache_resource(max_entries=_MODELS_AT_ONCE, show_spinner="Loading the model …")
def _recognizer(path: Path, changed_ns: int) -> "Recognizer":
    from fer.model.classifier import Classifier
    from fer.recognition.recognizer import Recognizer

    detector, lock = _detector()
    return Recognizer(detector, Classifier.load(path), lock)


@st.cache_resource(max_entries=3 * _MODELS_AT_ONCE, show_spinner=False)
def _recognizer_for(path: Path, changed_ns: int, prior_correction: float) -> "Recognizer":
    """Return the recognizer for a kind of faces: the same network, another correction."""
    return _recognizer(path, changed_ns).corrected(prior_correction)


def _correction() -> float:
    """Return what is taken off for the prior, for this visitor's model and faces."""
    return correction_for(chosen_faces(), read_info(checkpoint_path()))


@st.cache_resource(show_spinner=False)
def _detector() -> "tuple[FaceDetector, threading.Lock]":
    """Return what all models share: the detector, and the lock that lets one of them compute at a time."""
    import torch  # here, so that pages without a model open at once

    from fer.recognition.detector import FaceDetector

    # Two threads of a network on cores that also serve pages wait for each other: 10 to 20 times slower.
    torch.set_num_threads(1)
    return FaceDetector(), threading.Lock()


def load_engine() -> "LiveEngine":
    """Return what runs the model for the videos of all its viewers, or show the error and end the page."""
    load_recognizer()  # says what it does while it loads, which must not happen within another cached function
    return _engine(*_model_key(), _correction())


@st.cache_resource(max_entries=_MODELS_AT_ONCE, show_spinner=False)
def _engine(path: Path, changed_ns: int, prior_correction: float) -> "LiveEngine":
    from fer.video.live import LiveEngine

    engine = LiveEngine(_recognizer_for(path, changed_ns, prior_correction).for_video())
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
    from pages.parts import connection

    try:
        return connection.ice_servers(_setting(connection.ICE_SERVERS_VARIABLE))
    except ConnectionSettingsError as error:
        st.error(str(error), icon=":material/lan:")
        st.stop()


def presence() -> Callable[[], bool]:
    """Return what says, from any thread, whether this visitor's page is still open."""
    context = get_script_run_ctx()
    if context is None or not runtime.exists():  # in tests there is nobody to leave
        return lambda: True
    return partial(runtime.get_instance().is_active_session, context.session_id)


def forget_upload(file_id: str) -> None:
    """Free the memory that an uploaded file takes, once it was copied to the disk."""
    context = get_script_run_ctx()
    if context is not None and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        context.uploaded_file_mgr.remove_file(context.session_id, file_id)


def attempt(action: Callable[[], object]) -> NoReturn:
    """Do what a pressed button says and show the page anew, with what went wrong (`show_failure`).

    Not in a callback of the button: that would know only what the other fields said before the press.
    """
    try:
        action()
    except FerError as error:
        st.session_state[_FAILURE] = str(error)
    st.rerun()


def show_failure() -> None:
    """Show what went wrong with the last button, once."""
    if message := st.session_state.pop(_FAILURE, None):
        st.error(message, icon=":material/error:")


def duration(seconds: float) -> str:
    """Say a time as people do: 45 s, 12 min, 2.5 h."""
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    return f"{round(seconds / 60)} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"


def show_concerns(face: Face, unsure_below: float) -> None:
    """Say what speaks against trusting a prediction, a line for each concern."""
    for word, meaning in concerns(face, unsure_below).items():
        st.caption(f":material/warning: {word}: {meaning}")


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
