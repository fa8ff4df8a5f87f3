"""The reports that there are: found, chosen, read."""

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

SHIPPED = "shipped model"
CHOSEN = "evaluation_report"


def saved_reports() -> list[Path]:
    """Return the reports of the shipped models, and those of the runs, the newest first."""
    folder = runs_folder()
    found = [*folder.glob(f"*/reports/*/{REPORT_NAME}"), *folder.glob(f"*/{REPORT_NAME}")]
    found.sort(key=changed_ns, reverse=True)
    return [*shipped_reports(), *found]


def may_see_paths(path: Path) -> bool:
    """Whether this visitor may read what a report says of the machine it was made on; of a shipped one everybody."""
    return path in shipped_reports() or training_allowed()


def name_of(path: Path) -> str:
    """Return what people know a report by: the model, and what it was measured on."""
    if path in shipped_reports():
        return f"{SHIPPED} · {path.name.removesuffix('.report.json')}"
    model, *title = path.parent.relative_to(runs_folder()).parts
    model = SHIPPED if model == SHIPPED_FOLDER else model
    return f"{model} · {title[-1]}" if title else model


def short_names(paths: Sequence[Path]) -> dict[Path, str]:
    """Return names for charts: the models' alone, where they tell the reports apart."""
    models = {path: name_of(path).split(" · ")[0] for path in paths}
    return models if len(set(models.values())) == len(models) else {path: name_of(path) for path in paths}


def choose_report() -> Path | None:
    """Ask for a report where there are several; None, and a word about it, where there is not one."""
    reports = saved_reports()
    if not reports:
        st.info("No model was evaluated yet.", icon=":material/insights:")
        return None
    if len(reports) == 1:
        return reports[0]
    chosen = st.session_state.get(CHOSEN)  # reports come and go, and an evaluation that ends chooses its own
    shown = chosen if chosen in reports else reports[0]
    return st.selectbox(
        "Report", reports, format_func=name_of, label_visibility="collapsed", width=480, **lasting(CHOSEN, shown)
    )


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
