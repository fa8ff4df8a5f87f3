"""The second half of the training page: watch runs, stop and resume them, use their models."""

from pathlib import Path
from typing import Literal, NoReturn

import streamlit as st

from fer.charts.chart import themed
from fer.charts.training import accuracy_curves, confusion_map, loss_curves, rate_curve
from fer.datasets.dataset import RULES
from fer.errors import CheckpointError
from fer.evaluation import job as evaluations
from fer.evaluation.confusions import MATRIX_READING
from fer.evaluation.job import KIND as MEASURING
from fer.evaluation.job import REPORT_NAME
from fer.evaluation.report import Request
from fer.faces import percent
from fer.jobs import job
from fer.jobs.status import DAMAGED, FAILED, FINISHED, INTERRUPTED, STOPPED
from fer.model.checkpoint import read_info
from fer.names import literal
from fer.reports.rendering import between
from fer.training import runs
from fer.training.metrics import Beginning
from fer.training.runs import KIND, RunView
from pages.parts.dataset import OWN, name_of
from pages.parts.evaluation_reports import report_at
from pages.parts.jobs import ICONS, watch
from pages.parts.models import runs_folder, use_model
from pages.parts.permissions import for_visitor
from pages.parts.session import attempt
from pages.parts.widgets import NO_BAR, STATIC, delete_button, download, duration, fragment, introduce
from pages.parts.words import in_words

COLORS: dict[str, Literal["orange", "red", "green"]] = {
    STOPPED: "orange", INTERRUPTED: "orange", FAILED: "red", DAMAGED: "red", FINISHED: "green",
}  # fmt: skip
CHOSEN = "training_run"
"""In the session: the name of the selected run."""
ADDRESS = "run"
"""What the page's address calls it, so that a reload or another tab opens it again."""
LOSS_READING = (
    "Lower is better. If the validation loss rises again, the model overfits. The thin line is the training loss "
    "within each epoch."
)
ACCURACY_READING = "How often the leading expression is right, after each epoch. The star marks the epoch that is kept."
RATE_READING = "The step size of the optimizer: it warms up, then decays."
AT_ONCE = 4
"""How many other runs the charts may show beside the selected one."""


def summary(view: RunView) -> str:
    """Summarize a run in one line; an active one changes faster than the list, so its progress is shown below."""
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
    """Return the best validation accuracy with the rule and the number of pictures behind it."""
    assert view.best
    return f"{percent(view.best.validation_accuracy, 1)} ({view.validated_by})"


def all_runs(views: list[RunView], allowed: bool) -> None:
    """List the runs and show the selected one; failed runs are in a fold below."""
    if not views:
        st.info("No runs yet. Start one under **New training**.", icon=":material/model_training:")
        return
    failed = [view for view in views if view.state in (FAILED, DAMAGED)]
    good = [view for view in views if view not in failed]
    chosen = st.session_state.get(CHOSEN, st.query_params.get(ADDRESS))  # starting a run selects it
    shown = next((view for view in views if view.name == chosen), (good or failed)[0])
    if chosen not in (None, shown.name):
        st.session_state.pop(CHOSEN, None)
        st.info("This run has been deleted or renamed.", icon=":material/delete:")
    st.query_params[ADDRESS] = shown.name
    if good:
        choose("Runs", good, shown)
    show_run(shown, [view for view in good if view is not shown], allowed)
    if failed:
        with st.expander(f"Failed ({len(failed)})", icon=ICONS[FAILED], expanded=shown in failed):
            choose("Failed runs", failed, shown)


def choose(label: str, views: list[RunView], shown: RunView) -> None:
    """Ask for one of some runs; none is marked if the selected run is in another list."""
    key, named = f"{CHOSEN}_{label}", {view.name: view for view in views}
    st.session_state[key] = shown.name if shown in views else None
    st.selectbox(
        label,
        list(named),
        format_func=lambda name: f"{name} · {summary(named[name])}",
        label_visibility="collapsed",
        placeholder="Choose …",
        key=key,
        on_change=lambda: st.session_state.update({CHOSEN: st.session_state[key]}),
    )


def show_run(view: RunView, others: list[RunView], allowed: bool) -> None:
    """Show a run, live while it is active, with the curves of others if wanted."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(literal(view.name), width="content")
        st.badge(view.state, icon=ICONS[view.state], color=COLORS.get(view.state, "blue"))
    if view.message and allowed:  # it may name paths of this machine
        st.error(for_visitor(view.message), icon=":material/error:")
    if allowed:
        show_buttons(view)
    elif view.has_model and not view.active:
        show_use(view)
    if view.active:
        watch(view, KIND)
    elif view.state == FINISHED:
        show_test(view, allowed)
        if view.has_model and not view.best_path.with_suffix(".int8.onnx").is_file():
            st.caption(
                ":material/speed: The webcam and videos use this model in float32, which is slower: it has no 8-bit "
                f"export.{' See the log.' * allowed}"
            )
    beside = [other.folder for other in others_beside(view, others)]
    if view.active:
        fragment(show_charts, run_every=2.0)(view, beside, allowed)
    else:
        show_charts(view, beside, allowed)


def show_buttons(view: RunView) -> None:
    """Show the actions for a run in its state."""
    with st.container(horizontal=True):
        if view.active:
            if st.button("Stop", type="primary", icon=":material/stop:", help="You can resume it later."):
                with st.spinner("Stopping after this batch …"):
                    attempt(lambda: job.stop(view.folder, KIND))
            return
        if view.can_resume and st.button("Resume", type="primary", icon=":material/play_arrow:"):
            attempt(lambda: runs.resume(view.folder))
        if view.has_model:
            show_use(view)
            if st.button("Evaluate this run", icon=":material/insights:"):
                evaluate_run(view)
            download("Download", view.best_path.read_bytes, f"{view.name}.safetensors")
        with st.popover("Rename", icon=":material/edit:"):
            name = st.text_input("New name", view.name, max_chars=64, key=f"rename {view.name}")
            if st.button("Rename it"):
                attempt(lambda: rename(view, name.strip()))
        delete_button(f"The run **{literal(view.name)}** and its model are", lambda: job.delete(view.folder, KIND))


def rename(view: RunView, name: str) -> None:
    """Rename a run and keep it selected."""
    runs.rename(view.folder, name)
    st.session_state[CHOSEN] = name


def show_use(view: RunView) -> None:
    """Offer to use the model on other pages."""
    done = view.state == FINISHED
    if st.button("Use for photos", type="primary" if done else "secondary", icon=":material/photo_camera:"):
        use_model(view.best_path, "photo")
    if st.button("Use for the webcam", icon=":material/videocam:"):
        use_model(view.best_path, "webcam")


def evaluate_run(view: RunView) -> NoReturn:
    """Open the evaluation page with a run's model and its data set selected."""
    st.session_state["evaluation_section"] = "Evaluate"
    st.session_state["measure_models"] = [view.best_path]
    st.session_state["measure_source"] = OWN
    st.switch_page("pages/evaluation.py")


def show_test(view: RunView, allowed: bool) -> None:
    """Show the test accuracy of the finished model, or offer to measure it."""
    made = read_info(view.best_path).training if view.has_model else {}
    for path in sorted(view.folder.glob(f"reports/*/{REPORT_NAME}")):
        report = report_at(path)
        own = report.model.training == made and report.data.fingerprint == made.get("dataset_sha256")
        if own and report.data.split == "test":
            with st.container(horizontal=True, vertical_alignment="center"):
                sure = between(report.accuracy)
                right = f"Test result: **{percent(report.accuracy.value, 1)}**{f' ({sure})' if sure else ''}"
                st.markdown(f"{right}, {literal(report.data.rule_and_n(report.n))}", width="content")
                if st.button("Show the report", icon=":material/insights:"):
                    st.session_state["evaluation_report"] = path
                    st.session_state["evaluation_ended"] = True
                    st.switch_page("pages/evaluation.py")
            return
    data = own_data(view)
    if not (allowed and data and view.has_model):
        return
    jobs = [seen for seen in job.views(runs_folder(), MEASURING) if view.folder in seen.folder.parents]
    if jobs and jobs[0].active:
        watch(jobs[0], MEASURING)
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Evaluate on the test split", icon=":material/fact_check:"):
            request = Request(data, str(view.best_path), "test", view.request.rule if view.request else RULES[0])
            attempt(lambda: evaluations.start(runs_folder(), [(view.name, request)], name_of(data) or "data"))
        st.caption("Training never saw the test split. Use it once, after choosing your best run.", width="content")
    if jobs and jobs[0].message:
        st.error(for_visitor(jobs[0].message), icon=":material/error:")


def own_data(view: RunView) -> str | None:
    """Return the data set of a run that has exactly one and uses its splits; else None."""
    asked = view.request
    return asked.dataset[0] if asked and len(asked.dataset) == 1 and not asked.folds else None


def others_beside(view: RunView, others: list[RunView]) -> list[RunView]:
    """Ask which other runs to show in the charts."""
    named = {other.name: other for other in others if other.metrics}
    if not named or not view.metrics:
        return []
    chosen = st.multiselect(
        "Other runs in the charts",
        list(named),
        max_selections=AT_ONCE,
        placeholder="Compare with other runs …",
        label_visibility="collapsed",
        key=f"beside {view.name}",
        width=480,
    )
    return [named[name] for name in chosen]


def show_charts(before: RunView, beside: list[Path], allowed: bool) -> None:
    """Show the curves, the confusion matrix and the log."""
    view, others = runs.view(before.folder), [runs.view(folder) for folder in beside]
    basis = literal(view.validated_by.capitalize())
    if begun := view.beginning:
        st.markdown(beginning_text(begun))
    if view.request and (view.metrics or view.steps):
        if view.best:
            more = ""
            if begun and begun.accuracy is not None:
                points = 100 * (view.best.validation_accuracy - begun.accuracy)
                more = f", {points:+.1f} points against {literal(begun.model)} before training"
            best = f"Best{' so far' * view.active}: **{literal(accuracy(view))}** in epoch {view.best.epoch}{more}."
            st.markdown(best)
        smaller = view.request.batch_size_for(begun.pictures) if begun else view.request.batch_size
        batches = f" With {smaller} instead of {view.request.batch_size} pictures per batch, it is scaled down."
        charts = [
            ("Loss", LOSS_READING, loss_curves(view, others)),
            ("Accuracy", f"{ACCURACY_READING} {basis}.", accuracy_curves(view, others)),
            ("Learning rate", RATE_READING + batches * (smaller < view.request.batch_size), rate_curve(view)),
        ]
        places = [*st.columns(2, gap="large"), *st.columns(2, gap="large")]
        for place, (title, reading, figure) in zip(places, charts, strict=False):
            with place:
                introduce(title, reading)
                st.plotly_chart(figure, config=NO_BAR, key=f"{title} {view.name}", alt=f"{title}, epoch by epoch")
        with places[-1]:
            show_confusion(view)
    if allowed and (log := job.log_tail(view.folder)):
        with st.expander("Log", icon=":material/terminal:", expanded=view.state != FINISHED):
            st.code(in_words(log), language=None)


def beginning_text(begun: Beginning) -> str:
    """Describe the start of a run: the accuracy before training, and which labels the last layer knows."""
    said = []
    if begun.accuracy is not None:
        right = f"**{percent(begun.accuracy, 1)}** of the {begun.n:,} validation pictures (dotted line)"
        flattered = f" It was trained on {begun.known:,} of them, so this is too high." if begun.known else ""
        said.append(f"Before training, {literal(begun.model)} got {right} right.{flattered}")
    if begun.kept:
        said.append(f"Its last layer was kept for {literal(', '.join(begun.kept))}.")
        if begun.new:
            said.append(f"For {literal(', '.join(begun.new))} it was initialized randomly.")
    return " ".join(said)


def show_confusion(view: RunView) -> None:
    """Show the confusion matrix of the kept epoch."""
    best = view.best
    try:
        labels = read_info(view.best_path).labels
    except CheckpointError:  # none yet
        return
    if best and [len(row) for row in best.validation_confusion] == [len(labels)] * len(labels):
        basis = literal(view.validated_by.capitalize())
        introduce(f"Confusion matrix of epoch {best.epoch}", f"{MATRIX_READING} {basis}.")
        matrix = themed(confusion_map(best.validation_confusion, labels), st.context.theme.type == "dark")
        st.plotly_chart(matrix, config=STATIC, key=f"confusion {view.name}", alt="Confusion matrix, as counts")
