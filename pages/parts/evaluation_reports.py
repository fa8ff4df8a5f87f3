"""Find, choose and read evaluation reports."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from fer.evaluation.job import REPORT_NAME, SHIPPED_FOLDER
from fer.evaluation.report import Evaluation, Report, read_evaluation, read_report
from fer.files import changed_ns
from fer.model import shipped_reports
from pages.parts.models import runs_folder
from pages.parts.permissions import training_allowed
from pages.parts.session import FILES_AS_THEY_ARE, lasting

SHIPPED = "built-in model"
CHOSEN = "evaluation_report"
ADDRESS = "report"
"""What the address calls the report that is looked at, by its name: a reload or another tab opens it again."""


def saved_reports() -> list[Path]:
    """Return the reports of the built-in models, then those of the runs, newest first."""
    folder = runs_folder()
    found = [*folder.glob(f"*/reports/*/{REPORT_NAME}"), *folder.glob(f"*/{REPORT_NAME}")]
    found.sort(key=changed_ns, reverse=True)
    return [*shipped_reports(), *found]


def may_see_paths(path: Path) -> bool:
    """Return whether this visitor may see the paths in a report; everybody may see those of the built-in models."""
    return path in shipped_reports() or training_allowed()


def name_of(path: Path) -> str:
    """Return the name shown for a report: its model and its data set."""
    if path in shipped_reports():
        return f"{SHIPPED} · {path.name.removesuffix('.report.json')}"
    model, *title = path.parent.relative_to(runs_folder()).parts
    model = SHIPPED if model == SHIPPED_FOLDER else model
    return f"{model} · {title[-1]}" if title else model


def short_names(paths: Sequence[Path]) -> dict[Path, str]:
    """Return names for charts: the models' names alone if they are unique."""
    models = {path: name_of(path).split(" · ")[0] for path in paths}
    return models if len(set(models.values())) == len(models) else {path: name_of(path) for path in paths}


def choose_report() -> Path | None:
    """Ask for a report if there are several; say so and return None if there is none."""
    reports = saved_reports()
    if not reports:
        st.info("No reports yet.", icon=":material/insights:")
        return None
    asked = st.query_params.get(ADDRESS)
    named = next((path for path in reports if name_of(path) == asked), None)
    chosen = st.session_state.get(CHOSEN, named)  # an evaluation that ends selects its own report
    shown: Path = chosen if chosen in reports else reports[0]
    if (chosen or asked) and chosen != shown:
        st.session_state.pop(CHOSEN, None)
        st.info("This report has been deleted.", icon=":material/delete:")
    if len(reports) > 1:
        shown = st.selectbox(
            "Report", reports, format_func=name_of, label_visibility="collapsed", width=480, **lasting(CHOSEN, shown)
        )
    st.query_params[ADDRESS] = name_of(shown)
    return shown


@st.cache_resource(max_entries=32, show_spinner=False, hash_funcs=FILES_AS_THEY_ARE)
def report_at(path: Path) -> Report:
    """Return a report, read once.

    Raises:
        EvaluationError: it is damaged.
    """
    return read_report(path)


@st.cache_resource(max_entries=8, show_spinner="Reading the predictions …", hash_funcs=FILES_AS_THEY_ARE)
def evaluation_at(path: Path) -> Evaluation:
    """Return a report with its predictions, read once.

    Raises:
        EvaluationError: one of them is damaged or missing.
    """
    return read_evaluation(path)
