"""One report: how good a model is, from three figures down to single pictures."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import streamlit as st

from fer.datasets.drawing import NOT_REAL
from fer.evaluation import review
from fer.evaluation.confusions import MATRIX_READING, MATRIX_TITLE
from fer.evaluation.predictions import Predictions
from fer.evaluation.report import Report
from fer.names import literal
from fer.reports.evaluation import at_a_glance, cards, in_a_sentence
from fer.reports.rendering import render
from pages.parts import evaluation_charts as charts
from pages.parts.corrections import show_own_faces
from pages.parts.evaluation_pictures import pictures_of, show_pictures
from pages.parts.evaluation_reports import evaluation_at, report_at
from pages.parts.widgets import introduce, one_of

LISTS = {
    "Worst mistakes": (review.worst_mistakes, "Wrong predictions, the most confident ones first."),
    "Least sure": (
        review.least_sure,
        "Pictures whose two leading expressions are almost equally probable come first.",
    ),
    "Likely label errors": (
        review.likely_label_errors,
        "The label itself may be wrong: the model is more confident in another label than it usually is on pictures "
        "with that label (confident learning, Northcutt et al. 2021).",
    ),
}


_JS = """
export default function ({ parentElement, data, setTriggerValue }) {
  const focused = parentElement.activeElement?.id, box = parentElement.querySelector(".scroll");
  box.innerHTML = data;
  box.onclick = ({ target }) => target.matches("button") && setTriggerValue("field", target.id.split(" ").map(Number));
  if (focused) parentElement.getElementById(focused)?.focus();
}
"""
_component = st.components.v2.component(
    "confusion_matrix", html='<div class="scroll"></div>', css=".scroll { overflow-x: auto; }", js=_JS
)


def confusion_matrix(
    report: Report, in_percent: bool, chosen: Sequence[int], key: str, on_field: Callable[[int, int], None]
) -> None:
    """Show the confusion matrix: rows are true labels, columns predictions, cells colored by their share of the row.

    It is a table of buttons, which works by touch, by keyboard and for screen readers. Loading Plotly's 5 MB of script
    would take longer than the rest of the page. A cell is (truth, prediction): the chosen one is marked, and `on_field`
    is called with the clicked one.
    """

    def take_click() -> None:
        if field := st.session_state[key].field:
            on_field(*field)

    table = render("matrix.html", report=report, in_percent=in_percent, chosen=list(chosen))
    _component(data=table, key=key, on_field_change=take_click)


def one_report(path: Path) -> None:
    """Show a report: the main figures first, the rest in tabs."""
    report = report_at(path)
    st.html(cards(at_a_glance(report)))
    st.markdown(literal(in_a_sentence(report)))
    st.caption(
        f"Measured on **{literal(report.basis)}**, {literal(report.model.read_as)}, without test-time augmentation."
    )
    show_own_faces(report.model.sha256, report.model.labels)
    if report.knew:
        show_known(report, *report.knew)
    if NOT_REAL in report.data.notes:
        st.warning(NOT_REAL, icon=":material/draw:")
    parts = {
        "Mistakes": show_mistakes,
        "Expressions": charts.show_expressions,
        "Confidence": charts.show_confidence,
        **({"People": charts.show_people} if report.agreement else {}),
        "Robustness": charts.show_robustness,
        "Pictures": show_lists,
        "Details and downloads": charts.show_downloads,
    }
    parts[one_of("Part", list(parts), "evaluation_part")](report, path)


def show_known(report: Report, how: str, count: int) -> None:
    """Warn if the model was trained on some of the pictures."""
    if 2 * count > report.n:
        st.warning(
            f"The model was {how} {count:,} of these {report.n:,} pictures, so the report does not show how good it "
            "is on others.",
            icon=":material/history_edu:",
        )
    else:
        st.caption(f"The model was {how} {count:,} of these pictures or duplicates of them.")


def show_mistakes(report: Report, path: Path) -> None:
    """Show the confusion matrix; clicking a cell shows its pictures."""
    labels = report.labels
    keys = f"truth {path}", f"answer {path}"

    def choose(truth: int, answer: int) -> None:
        st.session_state.update(zip(keys, (labels[truth], labels[answer]), strict=True))

    chosen = [labels.index(label) for key in keys if (label := st.session_state.get(key)) in labels]
    left, right = st.columns([5, 4], gap="large")
    with left:
        introduce(MATRIX_TITLE, f"{MATRIX_READING} R{literal(report.data.rule_and_n(report.n)[1:])}.")
        unit = one_of("Numbers", ["Pictures", "% of row"], "evaluation_unit")
        confusion_matrix(report, unit != "Pictures", chosen, f"matrix {path}", choose)
    with right:
        introduce("Pictures of a cell", "Click a cell, or choose the true label and the prediction.")
        one, other = st.columns(2)
        truth = one.selectbox("True label", labels, None, placeholder="any", key=keys[0])
        answer = other.selectbox("Prediction", labels, None, placeholder="any", key=keys[1])
        if not (truth or answer):
            return
        predictions = evaluation_at(path).predictions
        places = of_field(predictions, truth, answer)
        st.markdown(
            f"{len(places):,} of {report.n:,} pictures: **{literal(truth or 'any label')}** predicted as "
            f"**{literal(answer or 'any label')}** (rule {literal(report.data.rule)})"
        )
        dataset = pictures_of(report, path)
    show_pictures([("model", predictions)], places, dataset, f"{path} {truth} {answer}")


def of_field(predictions: Predictions, truth: str | None, answer: str | None) -> np.ndarray:
    """Return the indices of pictures with a true label and a prediction, None for any, by descending confidence."""
    wanted = np.ones(len(predictions), bool)
    if truth:
        wanted &= predictions.truth == predictions.labels.index(truth)
    if answer:
        wanted &= predictions.predicted == predictions.labels.index(answer)
    places = np.flatnonzero(wanted)
    return places[np.argsort(-predictions.confidence[places], kind="stable")]


def show_lists(report: Report, path: Path) -> None:
    """Show the most informative pictures."""
    name = one_of("List", list(LISTS), "evaluation_list")
    find, reading = LISTS[name]
    st.caption(f"{reading} Measured on {literal(report.basis)}.")
    predictions = evaluation_at(path).predictions
    show_pictures([("model", predictions)], find(predictions, 96), pictures_of(report, path), f"{path} {name}")
