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
_TWO_OPINIONS = (
    "*Everyday* goes mostly by what raters would call a face, *posed or acted* by the label that its picture would "
    "carry, which names weak expressions that raters call neutral; *in between* weighs both."
)
_ONE_OPINION = (
    "In everyday pictures most faces are neutral or happy, and the model counts on it; it counts on it less *in "
    "between*, and least for *posed or acted* faces."
)
_MODELS_AT_ONCE = 3
"""As many are kept in memory; the one that was not used for the longest time goes first."""


def runs_folder() -> Path:
    """Return where training runs are kept: the whole path, as other processes get it."""
    return home.runs_folder().absolute()


def checkpoint_path() -> Path:
    """Return the model file that this visitor uses: what they chose, else the app's."""
    chosen: Path | None = st.session_state.get(_MODEL)
    return chosen if chosen and chosen.is_file() else _own_checkpoint()  # its run may have been deleted meanwhile


def reading_of(request: Request, finished: Iterable[Finished]) -> tuple[tuple[str, ...], float]:
    """Return a job's labels, and below which confidence, 0..1, a face is unsure; without its model, as far as known."""
    try:
        info = read_info(request.checkpoint).read_for(request.faces)
    except CheckpointError:
        return next((face.labels for one in finished for face in one.result.faces), ()), UNSURE_BELOW
    return info.labels, info.unsure_below


def _own_checkpoint() -> Path:
    """Return the model file that the owner of the app has set, else the shipped one."""
    return Path(os.environ.get(CHECKPOINT_VARIABLE) or DEFAULT_CHECKPOINT)


def use_model(path: Path, page: str) -> NoReturn:
    """Take a model file for this visitor, in all pages and until the tab is closed, and go to a page."""
    st.session_state[_MODEL] = path
    st.switch_page(f"pages/{page}.py")


def known_models() -> list[Path]:
    """Return the model files that are here: the shipped ones, and the best of each run."""
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
    """Ask for a model to compare the used one with; None where nobody wants any."""
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
    """Let the visitor choose among the app's models and those that were trained here, and say whose faces they show.

    Args:
        faces: the kind that is usual on this page, one of `KINDS_OF_FACES`. What the visitor chooses instead holds for
            all pages where the same kind is usual, and for no other.
    """
    st.session_state[_USUAL] = faces
    models, chosen = _offered_models(), checkpoint_path()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        if len(models) > 1:
            st.selectbox(
                "Model",
                models,
                format_func=model_name,
                help="The app's models, and those that were trained on the training page. The careful one is better "
                "on photos, and slower. The choice holds for you, not for other visitors.",
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
        st.caption(_TWO_OPINIONS if info.second else _ONE_OPINION)


def _show_readings(info: ModelInfo) -> None:
    """Show the settings behind each kind of faces."""
    rows = {name: info.reading(kind) for kind, name in _WHOSE_FACES.items()}
    table = "\n".join(
        f"| {name} | {read.prior_correction:g} | {read.second_share:g} | {percent(read.unsure_below)} |"
        for name, read in rows.items()
    )
    st.markdown(
        f"| Faces | τ | β | unsure below |\n|---|---|---|---|\n{table}\n\n"
        "**τ**: how much is taken off of what the model learned of how frequent each expression is, 0 to 1.\n\n"
        "**β**: how much the label's opinion counts beside that of the raters, 0 to 1; 0 where a model has one opinion."
    )


def model_name(path: Path) -> str:
    """Return what people know a model file by: "FER+ · 8 expressions", the name of its run, or the app's own."""
    if path in SHIPPED.values():
        info = read_info(path)
        careful = ", careful" * (path == SHIPPED["shipped-careful"])
        return f"{info.training['dataset'].partition(' (')[0]} · {len(info.labels)} expressions{careful}"
    return "the app's own" if path == _own_checkpoint() else path.parent.name


def chosen_faces() -> str:
    """Return whose faces this visitor looks at on a page that called `choose_model`, one of `KINDS_OF_FACES`.

    Everyday ones where the model cannot tell.
    """
    usual = st.session_state.get(_USUAL, EVERYDAY)
    faces: str = st.session_state.get(f"{_FACES}_{usual}", usual)
    return faces if model_info().can_be_corrected else EVERYDAY


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
        return _recognizer_for(checkpoint_path(), chosen_faces())
    except CheckpointError as error:
        _no_model(error)


# A run that goes on writes better models to the same file.
@st.cache_resource(max_entries=_MODELS_AT_ONCE, show_spinner="Loading the model …", hash_funcs=FILES_AS_THEY_ARE)
def _recognizer(path: Path) -> "Recognizer":
    from fer.model.classifier import Classifier
    from fer.recognition.recognizer import Recognizer

    detector, lock = _detector()
    # Two threads of a network on cores that also serve pages wait for each other: 10 to 20 times slower.
    return Recognizer(detector, Classifier.load(path, threads=1), lock)


@st.cache_resource(max_entries=3 * _MODELS_AT_ONCE, show_spinner=False, hash_funcs=FILES_AS_THEY_ARE)
def _recognizer_for(path: Path, faces: str) -> "Recognizer":
    """Return the recognizer for a kind of faces: the same network, read otherwise."""
    return _recognizer(path).for_faces(faces)


@st.cache_resource(show_spinner=False)
def _detector() -> "tuple[FaceDetector, threading.Lock]":
    """Return what all models share: the detector, and the lock that lets one of them compute at a time."""
    from fer.recognition.detector import FaceDetector

    return FaceDetector(), threading.Lock()


def load_engine() -> "LiveEngine":
    """Return what runs the model for the videos of all its viewers, or show the error and end the page."""
    load_recognizer()  # says what it does while it loads, which must not happen within another cached function
    return _engine(checkpoint_path(), chosen_faces())


@st.cache_resource(max_entries=_MODELS_AT_ONCE, show_spinner=False, hash_funcs=FILES_AS_THEY_ARE)
def _engine(path: Path, faces: str) -> "LiveEngine":
    from fer.video.live import LiveEngine

    engine = LiveEngine(_recognizer_for(path, faces).for_video())
    # Streamlit collects garbage after each run of a script, so every second beside a live video. Going through all that
    # torch made takes 0.3 seconds in which every other thread waits. Frozen, it is passed over.
    gc.collect()
    gc.freeze()
    atexit.register(gc.unfreeze)  # else libraries complain of leaks when the app ends
    # A thread that comes back from a network or from OpenCV waits this long for one that runs Python; usual are 5 ms.
    sys.setswitchinterval(0.0005)
    return engine


def _no_model(error: CheckpointError) -> NoReturn:
    st.error(for_visitor(str(error)), icon=":material/error:")
    st.caption(f"The app's model is {literal(checkpoint_path().name)}; set {CHECKPOINT_VARIABLE} to use another file.")
    st.stop()
