"""The first half of the training page: choose pictures, look at them, set, start."""

from dataclasses import replace
from typing import Any

import streamlit as st

from fer.errors import CheckpointError, FerError, TrainingError
from fer.training import recipe, runs
from fer.training.config import TrainingConfig
from fer.training.estimate import Speed, known_speed, measure_speed, seconds_for
from fer.training.runs import RunView
from pages.parts.dataset import Data, chosen_path, looked_at, name_of, show_data
from pages.parts.places import runs_folder
from pages.parts.session import attempt
from pages.parts.widgets import duration

NEW, RUNS = "New training", "Runs"
NETWORKS = (
    "resnet18",
    "resnet34",
    "resnet50",
    "mobilenet_v3_small",
    "mobilenet_v3_large",
    "efficientnet_b0",
    "convnext_tiny",
    "vgg11_bn",
    "vgg13_bn",
    "vgg16_bn",
    "vgg19_bn",
)


def chosen_settings(data: Data, pictures: int, views: list[RunView]) -> tuple[TrainingConfig, str]:
    """Ask what to train; return (configuration, name)."""
    left, middle, right = st.columns(3, gap="medium")
    with left:
        usual_name = free_name(data.path, views)
        name = st.text_input("Name", usual_name, max_chars=64, key=f"name {usual_name}")
    with middle:
        anew = st.selectbox(
            "Start from",
            [False, True],
            int(pictures >= recipe.ENOUGH_TO_BEGIN_ANEW),
            format_func=lambda anew: "nothing" if anew else "the shipped model",
            help="The shipped model knows faces already: some dozen pictures of each expression are enough to teach it "
            "yours. From nothing it takes some thousand.",
        )
    usual = recipe.from_scratch(data.path) if anew else recipe.fine_tuning(data.path, pictures)
    with right:
        epochs = st.number_input(
            "Epochs",
            1,
            1000,
            usual.epochs,
            help="How often all pictures are gone through.",
            key=f"epochs {usual.epochs}",
        )
    return replace(usual, epochs=int(epochs), **more_settings(usual, anew)), name.strip()


def more_settings(usual: TrainingConfig, anew: bool) -> dict[str, Any]:
    """Ask for the rest."""
    with st.expander("More settings", icon=":material/tune:"):
        left, middle, right = st.columns(3, gap="medium")
        with left:
            architecture = st.selectbox(
                "Network",
                NETWORKS if anew else (usual.architecture,),
                disabled=not anew,
                help="The shipped model is a resnet18; another network has to begin with nothing.",
            )
            size = st.select_slider(
                "Size of the faces", [32, 48, 64, 96, 112, 160, 224], usual.size_px, format_func=lambda px: f"{px} px",
                disabled=not anew,
            )  # fmt: skip
            channels = st.segmented_control(
                "Colours", [1, 3], default=usual.channels, format_func={1: "gray", 3: "colour"}.__getitem__,
                required=True, disabled=not anew,
            )  # fmt: skip
        with middle:
            rate = st.number_input(
                "Learning rate",
                0.0,
                10.0,
                usual.peak_learning_rate,
                0.001,
                "%.4f",
                help="The highest, after a warm-up.",
            )
            batch = st.number_input(
                "Batch size", 2, 4096, usual.batch_size, help="Smaller for small data sets by itself."
            )
            patience = st.number_input(
                "Patience",
                0,
                1000,
                usual.patience,
                help="Ends after so many epochs without a better accuracy; 0: never.",
            )
        with right:
            balance = st.slider(
                "Balance",
                0.0,
                1.0,
                usual.class_balance,
                help="1: rare expressions are shown as often as frequent ones.",
            )
            mixup = st.slider("Mixup", 0.0, 1.0, usual.mixup, help="How strongly pictures are blended; 0: not at all.")
            seed = st.number_input(
                "Seed", 0, 2**31, usual.seed, help="Another one gives another model of the same kind."
            )
    return {
        "architecture": architecture,
        "size_px": size,
        "channels": channels,
        "learning_rate": rate if rate != usual.peak_learning_rate else usual.learning_rate,
        "batch_size": int(batch),
        "patience": int(patience),
        "class_balance": balance,
        "mixup": mixup,
        "seed": int(seed),
    }


def begin(config: TrainingConfig, name: str) -> None:
    """Start a run and show it."""
    runs.start(runs_folder(), config, name)
    st.session_state["training_run"] = name
    st.session_state["training_started"] = True


def free_name(path: str, views: list[RunView]) -> str:
    """Return a name that no run has, made of the data set's."""
    stem = name_of(path) or "training"
    names = [stem, *(f"{stem}-{number}" for number in range(2, len(views) + 2))]
    return next(name for name in names if name not in {view.name for view in views})


def show_estimate(config: TrainingConfig, pictures: int, views: list[RunView]) -> None:
    """Say about how long it will take."""
    speed = known_speed(config, views) or measured(config, any(view.active for view in views))
    if speed is None:
        st.caption(":material/timer: How long it takes is known once the other training has ended.")
        return
    seconds = seconds_for(config, pictures, speed.faces_per_second)
    st.caption(
        f":material/timer: About **{duration(seconds)}**, if it is as fast as {speed.source}: "
        f"{speed.faces_per_second:,.0f} faces a second. You may close this page meanwhile."
    )


def measured(config: TrainingConfig, busy: bool) -> Speed | None:
    """Measure the speed of a network, once; None while a training would make it seem slow."""
    speeds: dict[tuple[str, int, int], Speed] = _speeds()
    key = config.architecture, config.size_px, config.channels
    if key not in speeds and not busy:
        with st.spinner("Measuring how fast this machine is …"):
            speeds[key] = measure_speed(config)
    return speeds.get(key)


@st.cache_resource
def _speeds() -> dict[tuple[str, int, int], Speed]:
    return {}


def new_training(views: list[RunView]) -> None:
    """Choose, set, start."""
    st.subheader("1 · Pictures", divider="gray")
    try:
        path = chosen_path("training")
        if path is None:
            st.caption("The pictures stay on this machine. Without pictures of your own, try it with drawn faces.")
            return
        data = looked_at(path)
    except FerError as error:
        st.error(str(error), icon=":material/error:")
        return
    show_data(data)
    pictures = data.report.rules["argmax"].get("train", 0)
    st.subheader("2 · Settings", divider="gray")
    try:
        config, name = chosen_settings(data, pictures, views)
        runs.check_name(name)
    except (TrainingError, CheckpointError) as error:
        st.error(str(error), icon=":material/error:")
        return
    estimate = st.empty()
    active = [view.name for view in views if view.active]
    try:
        full = len(active) >= runs.parallel_runs()
        if st.button("Start training", type="primary", icon=":material/play_arrow:", disabled=full):
            attempt(lambda: begin(config, name))
        if full:
            st.caption(f":material/hourglass_empty: {', '.join(active)} is being trained. One thing after the other.")
        with estimate.container():  # it may take seconds, and nobody has to wait for it
            show_estimate(config, pictures, views)
    except TrainingError as error:
        st.error(str(error), icon=":material/error:")
