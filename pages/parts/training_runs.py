"""The second half of the training page: watch runs, stop and resume them, use what came out."""

from typing import Literal

import streamlit as st

from fer.charts.training import accuracy_curves, confusion_map, loss_curves, rate_curve
from fer.errors import CheckpointError
from fer.evaluation.confusions import MATRIX_READING
from fer.faces import percent
from fer.jobs import job
from fer.jobs.status import DAMAGED, FAILED, FINISHED, INTERRUPTED, STOPPED
from fer.model.checkpoint import read_info
from fer.names import literal
from fer.training import runs
from fer.training.runs import KIND, RunView
from pages.parts.jobs import ICONS, watch
from pages.parts.models import use_model
from pages.parts.session import attempt, lasting
from pages.parts.widgets import NO_BAR, STATIC, delete_button, download, duration, introduce

COLORS: dict[str, Literal["orange", "red", "green"]] = {
    STOPPED: "orange", INTERRUPTED: "orange", FAILED: "red", DAMAGED: "red", FINISHED: "green",
}  # fmt: skip
CHOSEN = "training_run"
"""Of the session: the name of the run that is looked at."""
LOSS_READING = "How far the answers are from the truth: down is good; where validation rises again, it learns by heart."
ACCURACY_READING = "How often the most probable answer is right, after each epoch; the star is the epoch that is kept."
RATE_READING = "How large the steps are by which it learns: it begins small, and ends small to settle."


def summary(view: RunView) -> str:
    """Sum a run up in a line; one that goes on changes faster than the list does, and is shown below."""
    if view.active:
        return view.state
    parts = [view.state]
    if view.best and view.request:
        parts.append(accuracy(view))
    if view.request:
        parts.append(f"{len(view.metrics)} of {view.request.epochs} epochs")
    if view.metrics:
        parts.append(duration(view.seconds))
    return " · ".join(parts)


def accuracy(view: RunView) -> str:
    """Return the best validation accuracy with the rule and the number of pictures that it was measured by."""
    assert view.best
    return f"{percent(view.best.validation_accuracy, 1)} ({view.validated_by})"


def all_runs(views: list[RunView], allowed: bool) -> None:
    """List the runs, and show the chosen one."""
    if not views:
        st.info("No model was trained yet.", icon=":material/model_training:")
        return
    named = {view.name: view for view in views}
    chosen = st.session_state.get(CHOSEN)  # runs come and go, and a page that starts one chooses it
    with st.container(height=300 if len(views) > 4 else "content", border=len(views) > 4):
        name = st.radio(
            "Runs",
            list(named),
            format_func=lambda name: f"{ICONS[named[name].state]} {literal(name)}",
            captions=[literal(summary(view)) for view in views],
            label_visibility="collapsed",
            **lasting(CHOSEN, chosen if chosen in named else views[0].name),
        )
    st.divider()
    show_run(named[name], allowed)


def show_run(view: RunView, allowed: bool) -> None:
    """Show a run: live, while it goes on."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(literal(view.name), width="content")
        st.badge(view.state, icon=ICONS[view.state], color=COLORS.get(view.state, "blue"))
    if view.message and allowed:  # it may name paths of this machine
        st.error(literal(view.message), icon=":material/error:")
    if allowed:
        show_buttons(view)
    elif view.has_model and not view.active:
        show_use(view)
    if view.active:
        watch(view, KIND)
        st.fragment(show_charts, run_every=2.0)(view, allowed)
    else:
        show_charts(view, allowed)


def show_buttons(view: RunView) -> None:
    """Offer what can be done with a run in its state."""
    with st.container(horizontal=True):
        if view.active:
            if st.button("Stop", type="primary", icon=":material/stop:", help="It can be resumed later."):
                with st.spinner("It stops after the batch …"):
                    attempt(lambda: job.stop(view.folder, KIND))
            return
        if view.can_resume and st.button("Resume", type="primary", icon=":material/play_arrow:"):
            attempt(lambda: runs.resume(view.folder))
        if view.has_model:
            show_use(view)
            download("Download the model", view.best_path.read_bytes, f"{view.name}.safetensors")
        with st.popover("Rename", icon=":material/edit:"):
            name = st.text_input("New name", view.name, max_chars=64, key=f"rename {view.name}")
            if st.button("Rename it"):
                attempt(lambda: rename(view, name.strip()))
        delete_button(f"The run **{literal(view.name)}** and its model are", lambda: job.delete(view.folder, KIND))


def rename(view: RunView, name: str) -> None:
    """Give a run another name and go on showing it."""
    runs.rename(view.folder, name)
    st.session_state[CHOSEN] = name


def show_use(view: RunView) -> None:
    """Offer the model to the other pages."""
    done = view.state == FINISHED
    if st.button("Use it for photos", type="primary" if done else "secondary", icon=":material/photo_camera:"):
        use_model(view.best_path, "photo")
    if st.button("Use it with the webcam", icon=":material/videocam:"):
        use_model(view.best_path, "webcam")


def show_charts(before: RunView, allowed: bool) -> None:
    """Show the curves, what was taken for what, and the log."""
    view = runs.view(before.folder)
    if view.metrics and view.request:
        epochs = view.request.epochs
        if view.best:
            st.markdown(f"Best{' so far' * view.active}: **{literal(accuracy(view))}** in epoch {view.best.epoch}.")
        basis = literal(view.validated_by.capitalize())
        charts = [
            ("Loss", LOSS_READING, loss_curves(view.metrics, epochs)),
            ("Accuracy", f"{ACCURACY_READING} {basis}.", accuracy_curves(view.metrics, epochs)),
            ("Learning rate", RATE_READING, rate_curve(view.metrics, epochs)),
        ]
        for column, (title, reading, figure) in zip(st.columns(3, gap="medium"), charts, strict=True):
            with column:
                introduce(title, reading)
                st.plotly_chart(figure, config=NO_BAR, key=f"{title} {view.name}")
    left, right = st.columns([2, 3], gap="medium")
    with left:
        show_confusion(view)
    with right:
        if allowed and (log := job.log_tail(view.folder)):
            st.markdown("**Log**")
            st.code(log, language=None)


def show_confusion(view: RunView) -> None:
    """Show what was taken for what in the latest epoch."""
    latest = view.metrics[-1] if view.metrics else None
    try:
        labels = read_info(view.best_path).labels
    except CheckpointError:  # none yet
        return
    if latest and [len(row) for row in latest.validation_confusion] == [len(labels)] * len(labels):
        basis = literal(view.validated_by.capitalize())
        introduce(f"Taken for what, epoch {latest.epoch}", f"{MATRIX_READING} {basis}.")
        st.plotly_chart(confusion_map(latest.validation_confusion, labels), config=STATIC, key=f"confusion {view.name}")
