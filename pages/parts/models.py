"""The model that a visitor uses: chosen, loaded, shared."""

import atexit
import gc
import os
import sys
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import streamlit as st

from fer import home
from fer.collection.job import Request
from fer.errors import CheckpointError
from fer.evaluation.report import Report, read_report
from fer.faces import UNSURE_BELOW, percent
from fer.model import DEFAULT_CHECKPOINT, SHIPPED, report_of
from fer.model.checkpoint import ModelInfo, read_info
from fer.model.prior import BETWEEN, EVERYDAY, POSED
from fer.names import literal
from fer.results.journal import Finished
from fer.training.runs import BEST_NAME
from pages.parts.permissions import for_visitor
from pages.parts.session import FILES_AS_THEY_ARE, lasting

if TYPE_CHECKING:
    from fer.recognition.detector import FaceDetector
    from fer.recognition.recognizer import Recognizer
    from fer.video.live import LiveEngine

CHECKPOINT_VARIABLE = "FER_CHECKPOINT"
"""Environment variable with the path of another model file for the app."""
_MODEL, _FACES, _USUAL = "chosen_model", "chosen_faces", "usual_faces"
_WHOSE_FACES = {EVERYDAY: "everyday", BETWEEN: "in between", POSED: "posed or acted"}
_TWO_HEADS = (
    "*Everyday* goes mostly by what people would say, *posed or acted* by the word that a picture was searched with, "
    "which also names weak expressions; *in between* weighs both."
)
_ONE_HEAD = (
    "The model expects most faces to be neutral or happy: fully in *everyday* pictures, less *in between*, and least "
    "for *posed or acted* faces."
)
_MODELS_AT_ONCE = 3
"""How many models stay in memory; the least recently used one is dropped first."""


def runs_folder() -> Path:
    """Return the folder of the training runs as an absolute path, because other processes use it."""
    return home.runs_folder().absolute()


def checkpoint_path() -> Path:
    """Return the model file that this visitor uses: the one they chose, else the app's."""
    chosen: Path | None = st.session_state.get(_MODEL)
    return chosen if chosen and chosen.is_file() else _own_checkpoint()  # its run may have been deleted meanwhile


def reading_of(request: Request, finished: Iterable[Finished]) -> tuple[tuple[str, ...], float]:
    """Return a job's labels and its confidence threshold, 0..1; without its model file, as far as they are known."""
    try:
        info = read_info(request.checkpoint).read_for(request.faces)
    except CheckpointError:
        return next((face.labels for one in finished for face in one.result.faces), ()), UNSURE_BELOW
    return info.labels, info.unsure_below


def _own_checkpoint() -> Path:
    """Return the model file set by whoever runs the app, else the built-in one."""
    return Path(os.environ.get(CHECKPOINT_VARIABLE) or DEFAULT_CHECKPOINT)


def use_model(path: Path, page: str) -> NoReturn:
    """Use a model file for this visitor, on all pages until the tab is closed, and go to a page."""
    st.session_state[_MODEL] = path
    st.switch_page(f"pages/{page}.py")


def known_models() -> list[Path]:
    """Return the model files on this machine: the built-in ones and the best of each run."""
    return [*(path for path in SHIPPED.values() if path.is_file()), *sorted(runs_folder().glob(f"*/{BEST_NAME}"))]


def _offered_models() -> list[Path]:
    return list(dict.fromkeys([_own_checkpoint(), *known_models()]))


@dataclass(frozen=True)
class Model:
    """A model in use."""

    name: str
    recognizer: "Recognizer"


def used_model() -> Model:
    """Return the model that this visitor uses, or show the error and end the page."""
    return Model(model_name(checkpoint_path()), load_recognizer())


def compared_model() -> Model | None:
    """Offer to compare with a second model; return None if the visitor chooses none."""
    others = [path for path in _offered_models() if path != checkpoint_path()]
    if not others:
        return None
    path = st.selectbox(
        "Compare with", others, None, format_func=model_name, placeholder="no other model", key="compared"
    )
    if path is None:
        return None
    try:
        faces = chosen_faces() if read_info(path).can_be_corrected else EVERYDAY
        return Model(model_name(path), _recognizer_for(path, faces))
    except CheckpointError as error:
        st.error(for_visitor(str(error)), icon=":material/error:")
        return None


def choose_model(faces: str = EVERYDAY) -> None:
    """Let the visitor choose a model and the kind of faces.

    Args:
        faces: the default kind on this page, one of `KINDS_OF_FACES`. A different choice applies to all pages with the
            same default, and to no others.
    """
    st.session_state[_USUAL] = faces
    models, chosen = _offered_models(), checkpoint_path()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        if len(models) > 1:
            st.selectbox(
                "Model",
                models,
                format_func=model_name,
                help="The built-in models and those you trained. The careful model is more accurate on photos, but "
                "slower. Your choice does not affect other visitors.",
                width=300,
                **lasting(_MODEL, chosen if chosen in models else models[0]),
            )
        info = model_info()
        if info.can_be_corrected:
            st.segmented_control(
                "Faces",
                list(_WHOSE_FACES),
                format_func=_WHOSE_FACES.__getitem__,
                required=True,
                **lasting(f"{_FACES}_{faces}", chosen_faces()),
            )
            with st.popover("Details", icon=":material/help:"):
                _show_readings(info)
    if info.can_be_corrected:
        st.caption(_TWO_HEADS if info.second else _ONE_HEAD)


def _show_readings(info: ModelInfo) -> None:
    """Show the settings behind each kind of faces."""
    rows = {name: info.reading(kind) for kind, name in _WHOSE_FACES.items()}
    table = "\n".join(
        f"| {name} | {read.prior_correction:g} | {read.second_share:g} | {percent(read.unsure_below)} |"
        for name, read in rows.items()
    )
    st.markdown(
        f"| Faces | τ | β | unsure below |\n|---|---|---|---|\n{table}\n\n"
        "**τ**: how much of the class prior – how frequent each expression was in training – is removed, 0 to 1.\n\n"
        "**β**: the weight of the second head against the raters' head, 0 to 1; 0 for a model with one head."
    )


def model_name(path: Path) -> str:
    """Return a readable name for a model file: "FER+ · 8 expressions", the name of its run, or "the app's own"."""
    if path in SHIPPED.values():
        info = read_info(path)
        careful = ", careful" * (path == SHIPPED["shipped-careful"])
        return f"{info.training['dataset'].partition(' (')[0]} · {len(info.labels)} expressions{careful}"
    return "the app's own" if path == _own_checkpoint() else path.parent.name


def chosen_faces() -> str:
    """Return the kind of faces chosen on a page that called `choose_model`, one of `KINDS_OF_FACES`.

    It is "everyday" for a model that does not distinguish them.
    """
    usual = st.session_state.get(_USUAL, EVERYDAY)
    faces: str = st.session_state.get(f"{_FACES}_{usual}", usual)
    return faces if model_info().can_be_corrected else EVERYDAY


def model_info() -> ModelInfo:
    """Return the description stored in the model file, or show the error and end the page."""
    try:
        return read_info(checkpoint_path())
    except CheckpointError as error:
        _no_model(error)


def shipped_report() -> Report | None:
    """Return the evaluation report of a built-in model, or None for any other model."""
    path = checkpoint_path()
    return read_report(report_of(path)) if path in SHIPPED.values() and report_of(path).is_file() else None


def load_recognizer() -> "Recognizer":
    """Return the recognizer that all visitors of a model share, or show the error and end the page."""
    try:
        return _recognizer_for(checkpoint_path(), chosen_faces())
    except CheckpointError as error:
        _no_model(error)


# A run that is still training overwrites its best model.
@st.cache_resource(max_entries=_MODELS_AT_ONCE, show_spinner="Loading the model …", hash_funcs=FILES_AS_THEY_ARE)
def _recognizer(path: Path) -> "Recognizer":
    from fer.model.classifier import Classifier
    from fer.recognition.recognizer import Recognizer

    detector, lock = _detector()
    # Two network threads on cores that also serve pages block each other: 10 to 20 times slower.
    return Recognizer(detector, Classifier.load(path, threads=1), lock)


@st.cache_resource(max_entries=3 * _MODELS_AT_ONCE, show_spinner=False, hash_funcs=FILES_AS_THEY_ARE)
def _recognizer_for(path: Path, faces: str) -> "Recognizer":
    """Return the recognizer for a kind of faces: the same network with another reading of its output."""
    return _recognizer(path).for_faces(faces)


@st.cache_resource(show_spinner=False)
def _detector() -> "tuple[FaceDetector, threading.Lock]":
    """Return what all models share: the detector, and a lock so that only one of them computes at a time."""
    from fer.recognition.detector import FaceDetector

    return FaceDetector(), threading.Lock()


def load_engine() -> "LiveEngine":
    """Return the engine that reads the live videos of all visitors of a model, or show the error and end the page."""
    load_recognizer()  # shows a spinner, which must not happen inside another cached function
    return _engine(checkpoint_path(), chosen_faces())


@st.cache_resource(max_entries=_MODELS_AT_ONCE, show_spinner=False, hash_funcs=FILES_AS_THEY_ARE)
def _engine(path: Path, faces: str) -> "LiveEngine":
    from fer.video.live import LiveEngine

    engine = LiveEngine(_recognizer_for(path, faces).for_video())
    # Streamlit collects garbage after each script run, which is every second beside a live video. Scanning what the
    # libraries created takes 0.08 s, with torch 0.3 s, and blocks all other threads. Frozen objects are skipped.
    gc.collect()
    gc.freeze()
    atexit.register(gc.unfreeze)  # otherwise libraries report leaks when the app exits
    # How long a thread returning from the network or OpenCV waits for one that runs Python; the default is 5 ms.
    sys.setswitchinterval(0.0005)
    return engine


def _no_model(error: CheckpointError) -> NoReturn:
    st.error(for_visitor(str(error)), icon=":material/error:")
    st.caption(f"The app uses the model {literal(checkpoint_path().name)}. Set {CHECKPOINT_VARIABLE} to use another.")
    st.stop()
