"""The first half of the training page: choose pictures, look at them, set, start."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from fer.datasets import open_datasets
from fer.datasets.contact_sheet import contact_sheet
from fer.datasets.report import DatasetReport, report
from fer.datasets.uploads import delete_upload, keep_upload, kept_uploads
from fer.display.training_plots import class_bars
from fer.display.widgets import attempt, duration, runs_folder, uploads_folder
from fer.errors import CheckpointError, FerError, TrainingError
from fer.training import launch, recipe
from fer.training.config import TrainingConfig
from fer.training.estimate import Speed, known_speed, measure_speed, seconds_for
from fer.training.launch import RunView

NEW, RUNS = "New training", "Runs"
UPLOAD, DRAWN, HERE = "Upload", "Drawn faces", "On this machine"
SOURCES = {
    UPLOAD: ":material/upload: Upload",
    DRAWN: ":material/draw: Drawn faces",
    HERE: ":material/folder: On this machine",
}
UPLOAD_MB = 1000
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
STATIC = {"staticPlot": True}


@dataclass(frozen=True, eq=False)
class Data:
    """A data set that was looked at."""

    path: str
    report: DatasetReport
    sheet: np.ndarray


def chosen_path() -> str | None:
    """Ask for a data set; None while none is chosen."""
    source = st.segmented_control(
        "Source", list(SOURCES), format_func=SOURCES.__getitem__, default=UPLOAD, required=True, key="training_source",
        label_visibility="collapsed",
    )  # fmt: skip
    if source == DRAWN:
        count = st.select_slider("Drawn faces", [80, 400, 1000, 2000, 4000], 1000, help="To try things out with.")
        return f"synthetic:{count}"
    if source == HERE:
        path = st.text_input(
            "Path", placeholder="/home/me/faces", help="A folder, a CSV or a ZIP on the machine that runs the app."
        ).strip()
        return str(Path(path).expanduser().absolute()) if path else None
    return uploaded_path()


def uploaded_path() -> str | None:
    """Take an upload, or offer the earlier ones."""
    upload = st.file_uploader(
        "A ZIP with a folder of pictures for each expression, or a CSV of pictures",
        ["zip", "csv"],
        max_upload_size=UPLOAD_MB,
        help="Folders angry/, happy/, … of any names, each picture showing one face, cropped square. The other layouts "
        "that the README names work, too. What is larger can be put on the machine that runs the app by other means.",
    )
    folder = uploads_folder()
    if upload:
        if st.session_state.get("training_upload", (None, ""))[0] != upload.file_id:
            with st.spinner("Unpacking …"):
                st.session_state["training_upload"] = upload.file_id, keep_upload(upload.name, upload, folder)
        return str(st.session_state["training_upload"][1])
    earlier = kept_uploads(folder)
    if not earlier:
        return None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            "or uploaded earlier",
            earlier,
            None,
            format_func=lambda path: path.relative_to(folder).parts[0],
            placeholder="Choose …",
        )
        if chosen:
            with st.popover("Delete", icon=":material/delete:"):
                st.markdown("The pictures are deleted from the disk. Models that were trained on them stay.")
                if st.button("Delete them", type="primary"):
                    attempt(lambda: delete_upload(chosen, folder))
    return str(chosen) if chosen else None


def looked_at(path: str) -> Data:
    """Open a data set and look at every picture in it, once for each visitor and data set."""
    data: Data | None = st.session_state.get("training_data")
    if data is None or data.path != path:
        bar = st.progress(0.0, "Opening …")

        def show(done: int, total: int) -> None:
            if done == total or done % 50 == 0:
                bar.progress(done / max(total, 1), f"Looking at picture {done:,} of {total:,}")

        try:
            dataset = open_datasets([path], show)
            data = Data(path, report(dataset, show), contact_sheet(dataset))
        finally:
            bar.empty()
        st.session_state["training_data"] = data
    return data


def show_data(data: Data) -> None:
    """Show what is in a data set, and what is odd about it."""
    found = data.report
    copies = found.copies.within + found.copies.across
    facts = [f"**{found.pictures:,} pictures**", f"{len(found.counts)} expressions"]
    if found.sizes:
        smallest, largest = ("{} × {}".format(*size) for size in (found.sizes.smallest, found.sizes.largest))
        facts.append(f"{smallest} pixels" if smallest == largest else f"{smallest} to {largest} pixels")
    if found.subjects:
        facts.append(f"{sum(found.subjects.values())} people")
    facts += [f"{copies:,} pairs of copies" if copies else "no copies"] + [f"{len(found.broken)} broken"] * bool(
        found.broken
    )
    st.markdown(" · ".join(facts))
    for warning in found.warnings:
        st.warning(warning, icon=":material/warning:")
    left, right = st.columns(2, gap="medium")
    with left:
        st.plotly_chart(class_bars(found.counts), config=STATIC, key="classes")
    with right:
        st.image(data.sheet, width="stretch", alt=f"some pictures of each of {', '.join(found.counts)}")
    details = [*found.notes, *(f"{one} and {other} are copies." for one, other in found.copies.examples), *found.broken]
    if details:
        with st.expander("Details", icon=":material/list:"):
            st.text("\n".join(details[:200]))


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
    launch.start(runs_folder(), config, name)
    st.session_state["training_run"] = name
    st.session_state["training_started"] = True


def free_name(path: str, views: list[RunView]) -> str:
    """Return a name that no run has, made of the data set's."""
    stem = re.sub(r"-[0-9a-f]{12}$", "", Path(path).stem)  # what an upload's folder is called after its content
    stem = re.sub(r"[^\w.-]+", "-", stem).strip("-. ")[:50] or "training"
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
        path = chosen_path()
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
        launch.check_name(name)
    except (TrainingError, CheckpointError) as error:
        st.error(str(error), icon=":material/error:")
        return
    estimate = st.empty()
    active = [view.name for view in views if view.active]
    try:
        full = len(active) >= launch.parallel_runs()
        if st.button("Start training", type="primary", icon=":material/play_arrow:", disabled=full):
            attempt(lambda: begin(config, name))
        if full:
            st.caption(f":material/hourglass_empty: {', '.join(active)} is being trained. One thing after the other.")
        with estimate.container():  # it may take seconds, and nobody has to wait for it
            show_estimate(config, pictures, views)
    except TrainingError as error:
        st.error(str(error), icon=":material/error:")
