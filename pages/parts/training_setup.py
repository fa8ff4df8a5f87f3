"""The first half of the training page: choose and inspect pictures, choose settings, start."""

import os
from dataclasses import Field, fields, replace
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fer.errors import CheckpointError, TrainingError
from fer.labels import FERPLUS
from fer.model import DEFAULT_CHECKPOINT
from fer.names import literal
from fer.training import recipe, runs
from fer.training.config import TrainingConfig
from fer.training.estimate import Speed, known_speed, measure_speed, seconds_for
from fer.training.runs import RunView
from pages.parts.dataset import Data, chosen_data, name_of, show_overview
from pages.parts.models import known_models, model_name, runs_folder
from pages.parts.session import attempt, errors_shown
from pages.parts.widgets import duration
from pages.parts.words import caption_of, in_words

NEW, RUNS = "New training", "Runs"
TABS = {"Network": {"network"}, "Training": {"training"}, "Other": {"data", "run and machine"}}
"""Tab of the advanced settings → groups in the configuration."""
ASKED_ELSEWHERE = "epochs", "init", "folds"
NONE, IMAGENET, FACE_RECOGNITION, FILE = "none", "imagenet", "face-recognition", "file"
STARTS = {
    str(DEFAULT_CHECKPOINT): "the built-in model", NONE: "random initialization", FACE_RECOGNITION: "face recognition",
    IMAGENET: "ImageNet", FILE: "a model file",
}  # fmt: skip
"""What training starts from; the model files on this machine are offered, too."""
FILES = {
    FILE: "The path of a model file (.safetensors) on this machine.",
    FACE_RECOGNITION: "The path of face_recognition_model-weights_manifest.json, with its .bin beside it, from the npm "
    "package @vladmandic/face-api. These weights are in the public domain.",
}
"""What to enter for a start from a file."""
OF_THE_MODEL = "architecture", "stem", "size_px", "channels"
"""Settings that fine-tuning takes from its model."""
OFFERED = {
    "architecture": (
        "resnet18", "resnet34", "resnet50", "mobilenet_v3_small", "efficientnet_b0", "convnext_tiny", "vgg13_bn",
        "face_recognition_resnet",
    ),
    "second_head": ("none", "fer2013"),
}  # fmt: skip
"""Offered values; others can be typed: any network of torchvision, and the name of other labels."""


Places = dict[str, DeltaGenerator]
"""Field → the place below it for an error."""


def chosen_settings(data: Data, pictures: int, views: list[RunView], below: Places) -> tuple[TrainingConfig, str]:
    """Ask for the settings and return (configuration, name). Each field gets a place for an error in `below`.

    Raises:
        TrainingError: a choice is invalid, or two of them contradict each other.
    """
    left, middle, right = st.columns(3, gap="medium")
    usual_name = free_name(data.path, views)
    name = left.text_input("Name", usual_name, max_chars=64, key=f"name {usual_name}", live=True).strip()
    below["name"] = left.empty()
    with middle:
        usual, fixed = chosen_start(data.path, pictures, below)
    meaning = "How many times training goes through all pictures."
    epochs = right.number_input("Epochs", 1, 1000, usual.epochs, help=meaning, key=f"epochs {usual.epochs}")
    middle.caption(literal(known_labels(usual, list(data.report.counts))))
    with st.expander("More settings", icon=":material/tune:"):
        chosen = more_settings(usual, fixed, below)
    config = replace(usual, epochs=epochs, **chosen)
    check(config, name, views)
    batch_size, most = config.batch_size_for(pictures), config.batch_size
    if batch_size < most:
        highest = config.rate_at(min(config.warmup_epochs, config.epochs / 10), batch_size)
        below["learning_rate"].caption(
            f"Peaks at {highest:.2g} here, because batches have {batch_size} pictures instead of {most}."
        )
    return config, name


def chosen_start(dataset: str, pictures: int, below: Places) -> tuple[TrainingConfig, tuple[str, ...]]:
    """Ask what training starts from; return its usual settings, and the names of those that it fixes.

    Raises:
        TrainingError: no file is entered, or it is no model file.
    """
    usual = NONE if pictures >= recipe.ENOUGH_FOR_RANDOM else str(DEFAULT_CHECKPOINT)
    starts = list(dict.fromkeys([*STARTS, *map(str, known_models())]))
    start = st.selectbox(
        caption_of("init"),
        starts,
        starts.index(usual),
        format_func=lambda start: STARTS.get(start) or model_name(Path(start)),
        help="The built-in model already knows faces, so a few dozen pictures per expression are enough, as for your "
        "own models. Random initialization takes thousands. Face recognition makes large, accurate, slow models.",
        key=f"init {usual}",
    )
    file = st.text_input("File", key=f"init {start}", live=True).strip() if start in FILES else ""
    below["init"] = st.empty()
    if start in FILES:
        st.caption(literal(FILES[start]))
        file = os.path.abspath(os.path.expanduser(file)) if file else ""  # noqa: PTH100, PTH111
        if not os.path.isfile(file):  # noqa: PTH113  Path's methods raise errors for odd names
            raise TrainingError(
                f"expected a file, found {f'none at {file}' if file else 'none'}. Enter its path.", "init"
            )
    if start == FACE_RECOGNITION:
        return recipe.face_recognition(dataset, file), ("architecture",)
    if start in (NONE, IMAGENET):
        return replace(recipe.random_initialization(dataset), init=start), ()
    try:
        return recipe.fine_tuning(dataset, pictures, Path(file if start == FILE else start)), OF_THE_MODEL
    except CheckpointError as error:
        raise TrainingError(str(error), "init") from error


def known_labels(config: TrainingConfig, labels: list[str]) -> str:
    """Say which labels the last layer already knows."""
    kept, new = recipe.kept_labels(recipe.initial_model(config), labels)
    if not kept:
        return ""
    return f"Its last layer already knows {', '.join(kept)}" + (f"; {', '.join(new)} is new." if new else ".")


def check(config: TrainingConfig, name: str, views: list[RunView]) -> None:
    """Check the settings before anything starts.

    Raises:
        TrainingError: the value of the field that it names is invalid.
    """
    runs.check_name(name)
    if name in {view.name for view in views}:
        raise TrainingError(f"expected a new name, found a run called {name}. Choose another name.", "name")
    for field in ("second_dataset", "soft_labels"):
        path = getattr(config, field)
        if path and not os.path.exists(path):  # noqa: PTH110  Path.exists raises an error for a long name
            raise TrainingError(f"expected a file or a folder, found nothing at {path}. Check the path.", field)
    if config.architecture not in OFFERED["architecture"]:
        from fer.model.network import check_architecture  # imports torch

        try:
            check_architecture(config.architecture)
        except ValueError as error:
            raise TrainingError(f"{error}. Choose one of them.", "architecture") from error
    if config.init == IMAGENET:
        from fer.training.initialization import check_init  # imports torch

        check_init(config)


def more_settings(usual: TrainingConfig, fixed: tuple[str, ...], below: Places) -> dict[str, Any]:
    """Ask for every option of `fer-studio train`, with the help text of the configuration."""
    chosen: dict[str, Any] = {}
    for tab, groups in zip(st.tabs(list(TABS)), TABS.values(), strict=True):
        asked = [one for one in fields(usual) if one.metadata.get("group") in groups]
        asked = [one for one in asked if one.name not in ASKED_ELSEWHERE]
        for number, one in enumerate(asked):
            if number % 4 == 0:  # row by row, so that the order is kept on a phone
                columns = tab.columns(4, vertical_alignment="bottom")
            with columns[number % 4]:
                chosen[one.name] = setting(one, getattr(usual, one.name), one.name in fixed, usual)
                below[one.name] = st.empty()
    return chosen


def setting(field: "Field[Any]", usual: Any, fixed: bool, config: TrainingConfig) -> Any:
    """Ask for one setting of the configuration; a fixed one is shown but disabled."""
    about, bounds = field.metadata, field.metadata["bounds"]
    label = caption_of(about["flag"] or field.name)
    rest: dict[str, Any] = {"help": in_words(about["help"]) or None, "disabled": fixed, "key": f"{field.name} {usual}"}
    if field.name in OFFERED:
        offered = list(dict.fromkeys([*OFFERED[field.name], usual]))
        return st.selectbox(label, offered, offered.index(usual), accept_new_options=True, **rest)
    if field.name == "teacher":
        return tuple(map(str, st.multiselect(label, known_models(), format_func=model_name, **rest)))
    if choices := about["choices"]:
        return st.selectbox(label, choices, choices.index(usual), **rest)
    if isinstance(usual, bool):
        return st.toggle(label, usual, **rest)
    if isinstance(usual, str):
        typed = st.text_input(label, usual, live=True, **rest).strip() or usual
        return os.path.expanduser(typed)  # noqa: PTH111  Path.expanduser raises an error for an unknown user
    kind: Any = int if isinstance(usual, int) else float
    ends = (bounds.get("at_least", bounds.get("over")), bounds.get("at_most", bounds.get("under")))
    lowest, highest = (None if end is None else kind(end) for end in ends)
    as_usual = {"learning_rate": config.peak_learning_rate, "weight_decay": config.used_weight_decay}.get(field.name)
    form: dict[str, Any] = {} if kind is int else {"step": 0.01, "format": "%g"}
    form |= {} if as_usual is None else {"placeholder": f"{as_usual:g}"}
    return st.number_input(label, lowest, highest, usual, **form, **rest)


def begin(config: TrainingConfig, name: str) -> None:
    """Start a run and show it."""
    runs.start(runs_folder(), config, name)
    st.session_state["training_run"] = name
    st.session_state["training_started"] = True


def free_name(path: str, views: list[RunView]) -> str:
    """Return an unused name for a run, derived from the data set's."""
    stem = name_of(path) or "training"
    names = [stem, *(f"{stem}-{number}" for number in range(2, len(views) + 2))]
    return next(name for name in names if name not in {view.name for view in views})


def show_estimate(config: TrainingConfig, pictures: int, views: list[RunView]) -> None:
    """Show how long training will take."""
    speed = known_speed(config, views) or measured(config, any(view.active for view in views))
    if speed is None:
        st.caption(":material/timer: The estimate appears when the other run has ended.")
        return
    seconds = seconds_for(config, pictures, speed.faces_per_second)
    st.caption(
        f":material/timer: About **{duration(seconds)}** at {speed.faces_per_second:,.0f} faces per second (from "
        f"{literal(speed.source)}). You can close this page while it runs."
    )


def measured(config: TrainingConfig, busy: bool) -> Speed | None:
    """Measure the speed of a network, once; return None while another run would distort it."""
    speeds: dict[tuple[str, int, int], Speed] = _speeds()
    key = config.architecture, config.size_px, config.channels
    if key not in speeds and not busy:
        with st.spinner("Measuring the speed of this machine …"):
            speeds[key] = measure_speed(config)
    return speeds.get(key)


@st.cache_resource
def _speeds() -> dict[tuple[str, int, int], Speed]:
    return {}


def new_training(views: list[RunView]) -> None:
    """Choose pictures and settings, and start a run."""
    st.subheader("1 · Pictures", divider="gray")
    with errors_shown():
        data = chosen_data("training")
        if data is None:
            return
        st.subheader("2 · Settings", divider="gray")
        pictures = data.report.rules["argmax"].get("train", 0)
        below: Places = {}
        wrong = ""
        try:
            config, name = chosen_settings(data, pictures, views, below)
        except TrainingError as error:
            if error.field not in below:
                raise
            wrong = error.field
            below[wrong].error(literal(in_words(str(error))), icon=":material/error:")
        estimate = st.empty()
        active = [view.name for view in views if view.active]
        full = len(active) >= runs.parallel_runs()
        words = list(data.report.counts)
        sure = bool(set(words) & set(FERPLUS)) or st.checkbox(
            f"Yes, these are expressions to learn: {literal(', '.join(words[:8]))}", key=f"sure {data.path}"
        )
        if st.button(
            "Start training", type="primary", icon=":material/play_arrow:", disabled=bool(full or not sure or wrong)
        ):
            attempt(lambda: begin(config, name))
        if wrong:
            st.caption(f":material/error: Fix the error below **{caption_of(wrong)}** first.")
        elif full:
            st.caption(f":material/hourglass_empty: Wait until {literal(', '.join(active))} has ended, or stop it.")
        st.subheader("The pictures", divider="gray")
        show_overview(data)
        if not wrong:
            with estimate.container():  # last, because it may take seconds
                show_estimate(config, pictures, views)
