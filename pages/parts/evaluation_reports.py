"""The reports that there are: found, chosen, read."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from fer.evaluation.report import Evaluation, Report, read_evaluation, read_report
from fer.model import shipped_reports
from fer.training.evaluations import REPORT_NAME, SHIPPED_FOLDER
from pages.parts.places import runs_folder

SHIPPED = "shipped model"
CHOSEN = "evaluation_report"


def saved_reports() -> list[Path]:
    """Return the reports of the shipped models, and those of the runs, the newest first."""
    folder = runs_folder()
    found = [*folder.glob(f"*/reports/*/{REPORT_NAME}"), *folder.glob(f"*/{REPORT_NAME}")]
    found.sort(key=lambda path: path.stat().st_mtime_ns, reverse=True)
    return [*shipped_reports(), *found]


def is_shipped(path: Path) -> bool:
    """Whether a report came with the package, so that everybody may read all of it."""
    return path in shipped_reports()


def name_of(path: Path) -> str:
    """Return what people know a report by: the model, and what it was measured on."""
    if is_shipped(path):
        return f"{SHIPPED} · {path.name.removesuffix('.report.json')}"
    model, *title = path.parent.relative_to(runs_folder()).parts
    model = SHIPPED if model == SHIPPED_FOLDER else model
    return f"{model} · {title[-1]}" if title else model


def short_names(paths: Sequence[Path]) -> dict[Path, str]:
    """Return names for charts: the models' alone, where they tell the reports apart."""
    models = {path: name_of(path).split(" · ")[0] for path in paths}
    return models if len(set(models.values())) == len(models) else {path: name_of(path) for path in paths}


def choose_report() -> Path | None:
    """Ask for a report where there are several; None where there is not one."""
    reports = saved_reports()
    if not reports:
        return None
    if len(reports) == 1:
        return reports[0]
    chosen = st.session_state.get(CHOSEN)
    # Set before the widget, as reports come and go, and an evaluation that ends chooses its own.
    st.session_state["evaluation_report_widget"] = chosen if chosen in reports else reports[0]
    return st.selectbox(
        "Report", reports, format_func=name_of, key="evaluation_report_widget", on_change=_remember, width=480
    )


def _remember() -> None:
    st.session_state[CHOSEN] = st.session_state["evaluation_report_widget"]


def report_at(path: Path) -> Report:
    """Return a report, read once.

    Raises:
        EvaluationError: it is damaged.
    """
    return _report(path, path.stat().st_mtime_ns)


def evaluation_at(path: Path) -> Evaluation:
    """Return a report with its predictions, read once.

    Raises:
        EvaluationError: one of them is damaged or missing.
    """
    return _evaluation(path, path.stat().st_mtime_ns)


@st.cache_resource(max_entries=32, show_spinner=False)
def _report(path: Path, changed_ns: int) -> Report:
    return read_report(path)


@st.cache_resource(max_entries=8, show_spinner="Reading the predictions …")
def _evaluation(path: Path, changed_ns: int) -> Evaluation:
    return read_evaluation(path)


def introduce(title: str, reading: str, basis: str) -> None:
    """Say what is shown, how to read it, and the rule and n that its figures are of."""
    st.markdown(f"**{title}**")
    st.caption(f"{reading} {basis[:1].upper()}{basis[1:]}.")
