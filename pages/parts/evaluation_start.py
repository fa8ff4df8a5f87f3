"""Evaluate models on a data set, in the background."""

from pathlib import Path

import streamlit as st

from fer.datasets.dataset import RULES, SPLITS
from fer.evaluation import job as evaluations
from fer.evaluation.job import KIND, REPORT_NAME, model_of
from fer.evaluation.report import RULE_MEANINGS, Request
from fer.jobs import job
from fer.jobs.job import JobView
from fer.jobs.status import FINISHED
from fer.model import SHIPPED
from fer.names import literal
from fer.training import runs
from pages.parts import dataset
from pages.parts.evaluation_reports import CHOSEN
from pages.parts.jobs import ICONS, watch
from pages.parts.models import known_models, model_name, runs_folder
from pages.parts.permissions import for_visitor, refuse, training_allowed
from pages.parts.session import attempt
from pages.parts.training_runs import own_data
from pages.parts.widgets import delete_button

AT_ONCE = 4
"""How many models are evaluated at once; each takes 0.5 GB of memory."""
SAMPLE = 300
"""How many pictures the robustness test uses, enough for intervals of about five points."""


def evaluate_models() -> None:
    """Show the active and earlier evaluations, and offer to start one."""
    if not training_allowed():
        refuse("Evaluating models is")
        return
    found = job.views(runs_folder(), KIND)
    active = [view for view in found if view.active]
    for view in active:
        show_active(view)
    new_evaluation(busy=bool(active))
    ended = [view for view in found if view.state == FINISHED]
    if ended:
        st.subheader("Earlier evaluations", divider="gray")
    for view in ended:
        show_ended(view)
    if failed := [view for view in found if not view.active and view not in ended]:
        with st.expander(f"Failed or stopped ({len(failed)})", icon=":material/error:"):
            for view in failed:
                show_ended(view)


def show_active(view: JobView[Request]) -> None:
    """Show an active evaluation; when the last one ends, show its report."""
    with st.container(border=True):
        st.markdown(f"{ICONS[view.state]} **{literal(title_of(view))}**")
        watch(view, KIND, on_end=show_if_last)
        if st.button("Stop", icon=":material/stop:", key=f"stop {view.folder}"):
            attempt(lambda: job.stop(view.folder, KIND))


def show_if_last(ended: JobView[Request]) -> None:
    """Show the report of a finished evaluation, unless another one is still active."""
    if ended.state == FINISHED and not any(view.active for view in job.views(runs_folder(), KIND)):
        show_report(ended.folder)


def show_report(folder: Path) -> None:
    """Select a report for the next run of the page."""
    st.session_state[CHOSEN] = folder / REPORT_NAME
    st.session_state["evaluation_ended"] = True


def new_evaluation(busy: bool) -> None:
    """Ask what to evaluate, and start."""
    st.subheader("Evaluate models", divider="gray")
    models = known_models()
    before: list[Path] = st.session_state.get("measure_models", models[:1])
    st.session_state["measure_models"] = [path for path in before if path in models]
    left, middle, right = st.columns(3, gap="medium")
    with left:
        chosen: list[Path] = st.multiselect(
            "Models", models, format_func=model_name, max_selections=AT_ONCE, key="measure_models",
            help="Choose several to compare them.",
        )  # fmt: skip
    with middle:
        split = st.selectbox(
            "Split", [*SPLITS, "all"], SPLITS.index("test"), key="measure_split",
            help="Choose among models on the validation split. Use the test split once, at the end.",
        )  # fmt: skip
    with right:
        rule = st.selectbox(
            "Which pictures count", RULES, format_func=lambda rule: f"{rule}: {RULE_MEANINGS[rule]}", key="measure_rule"
        )
    worse = st.checkbox(
        f"Test robustness on {SAMPLE} pictures that are blurred, darkened, rotated, covered, …", key="measure_worse",
        help="Degrades them in 24 ways. Takes a few minutes.",
    )  # fmt: skip
    path = dataset.chosen_path("measure", own_data(runs.view(chosen[0].parent)) if len(chosen) == 1 else None)
    if path is None:
        return
    if st.button("Evaluate", type="primary", icon=":material/play_arrow:", disabled=busy or not chosen):
        requests = [
            (
                None if checkpoint in SHIPPED.values() else checkpoint.parent.name,
                Request(path, str(checkpoint), split, rule, worse, SAMPLE if worse else None),
            )
            for checkpoint in chosen
        ]
        attempt(lambda: evaluations.start(runs_folder(), requests, dataset.name_of(path) or "data"))


def show_ended(view: JobView[Request]) -> None:
    """Show the actions for an evaluation that has ended."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"{ICONS[view.state]} {literal(title_of(view))}", width="stretch")
        with st.container(horizontal=True, width="content"):  # on a phone they stay together
            if view.state == FINISHED and st.button("Show", key=f"show {view.folder}", icon=":material/insights:"):
                show_report(view.folder)
                st.rerun()
            if view.can_resume and st.button("Resume", key=f"resume {view.folder}", icon=":material/play_arrow:"):
                attempt(lambda: job.start(view.folder, KIND, among=job.views(runs_folder(), KIND)))
            what = f"The evaluation **{literal(title_of(view))}** with its report is"
            delete_button(what, lambda: job.delete(view.folder, KIND), str(view.folder))
    if view.message:
        st.error(for_visitor(view.message), icon=":material/error:")


def title_of(view: JobView[Request]) -> str:
    """Return the name shown for an evaluation."""
    model = model_name(Path(view.request.checkpoint)) if view.request else model_of(view.folder) or "a model"
    return f"{model} · {view.folder.name}"
