"""One report: how good a model is, at a glance and down to the picture."""

from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from fer.datasets.dataset import FaceDataset
from fer.display import evaluation_plots, trust_plots
from fer.display.report_page import basis_of, headline_cards, with_interval
from fer.evaluation import review
from fer.evaluation.predictions import Predictions
from fer.evaluation.report import Report
from fer.training.evaluations import view
from pages.parts.evaluation_downloads import show_downloads
from pages.parts.evaluation_pictures import pictures_of, show_pictures
from pages.parts.evaluation_reports import (
    chart_config,
    choose_report,
    evaluation_at,
    introduce,
    report_at,
    show_chart,
)

MISTAKES, EXPRESSIONS, CONFIDENCE = "Mistakes", "Expressions", "Confidence"
PEOPLE, WORSE, PICTURES, ABOUT = "People", "Worse pictures", "Pictures", "About & download"
LISTS = {
    "Worst mistakes": (review.worst_mistakes, "The wrong answers that the model was surest of come first."),
    "Most uncertain": (review.most_uncertain, "The pictures whose two most probable answers are nearest come first."),
    "Likely label errors": (
        review.likely_label_errors,
        "Here the label itself may be wrong: the model is surer of another one than it usually is of pictures that "
        "truly show it (confident learning, Northcutt et al. 2021).",
    ),
}


def one_report() -> None:
    """Choose a report and show it."""
    path = choose_report()
    if path is None:
        st.info("No model was evaluated yet.", icon=":material/insights:")
        return
    report = report_at(path)
    st.markdown(f"Measured on **{report.basis}**, without test-time augmentation.")
    st.html(headline_cards(report))
    st.caption(
        "Ranges are 95 % intervals: a figure of so many pictures is no surer than that. "
        + "Agreement with raters counts how often most of the other raters of a picture say the same."
        * (report.agreement is not None)
    )
    sections = [MISTAKES, EXPRESSIONS, CONFIDENCE, *([PEOPLE] * (report.agreement is not None)), WORSE, PICTURES, ABOUT]
    section = st.segmented_control(
        "Part", sections, default=MISTAKES, required=True, label_visibility="collapsed", key="evaluation_part"
    )
    show = {
        EXPRESSIONS: show_expressions,
        CONFIDENCE: show_confidence,
        PEOPLE: show_people,
        WORSE: show_robustness,
        PICTURES: show_lists,
        ABOUT: show_downloads,
    }.get(section, show_mistakes)
    show(report, path)


def show_mistakes(report: Report, path: Path) -> None:
    """Show the confusion matrix; a click on a field shows its pictures."""
    labels, key = report.labels, f"matrix {path}"
    truth_key, answer_key = f"truth {path}", f"answer {path}"

    def take_click() -> None:
        points = st.session_state[key].selection.points
        if points:
            truth, answer = points[0]["customdata"][:2]
            st.session_state[truth_key], st.session_state[answer_key] = labels[int(truth)], labels[int(answer)]

    truth, answer = (st.session_state.get(name) for name in (truth_key, answer_key))
    chosen = (labels.index(truth), labels.index(answer)) if truth in labels and answer in labels else None
    left, right = st.columns([5, 4], gap="large")
    with left:
        unit = st.segmented_control(
            "Numbers", ["Pictures", "% of a row"], default="Pictures", required=True, label_visibility="collapsed",
            key="evaluation_unit",
        )  # fmt: skip
        chart = evaluation_plots.confusion(report, in_percent=unit != "Pictures", chosen=chosen)
        introduce(chart, basis_of(chart, report))
        st.plotly_chart(
            chart.figure, config=chart_config(chart), key=key, on_select=take_click, selection_mode="points"
        )
    with right:
        st.markdown("**Pictures of a field**")
        st.caption("Click a field, or choose what is true and what the model says.")
        one, other = st.columns(2)
        truth = one.selectbox("True", labels, None, placeholder="any", key=truth_key)
        answer = other.selectbox("The model says", labels, None, placeholder="any", key=answer_key)
        if truth or answer:
            predictions = evaluation_at(path).predictions
            places = of_field(predictions, truth, answer)
            st.markdown(
                f"{len(places):,} of {report.n:,} pictures: **{truth or 'anything'}**, taken for "
                f"**{answer or 'anything'}** (rule {report.data.rule})"
            )
            dataset = pictures_of(report, dataset_path(path))
            show_pictures([("model", predictions)], places, dataset, f"{path} {truth} {answer}")


def of_field(predictions: Predictions, truth: str | None, answer: str | None) -> np.ndarray:
    """Return the places of the pictures of a label that were taken for a label; None is any. The surest come first."""
    wanted = np.ones(len(predictions), bool)
    if truth:
        wanted &= predictions.truth == predictions.labels.index(truth)
    if answer:
        wanted &= predictions.predicted == predictions.labels.index(answer)
    places = np.flatnonzero(wanted)
    return places[np.argsort(-predictions.confidence[places], kind="stable")]


def dataset_path(path: Path) -> str:
    """Return where the pictures of a report were, if it was made on this page; else an empty text."""
    request = view(path.parent).request
    return request.dataset if request else ""


def show_expressions(report: Report, path: Path) -> None:
    """Show how each expression fares."""
    chart = evaluation_plots.classes(report)
    show_chart(chart, basis_of(chart, report), str(path))
    rows = []
    for label, figures in report.per_class.items():
        row: dict[str, Any] = {"expression": label, "pictures": figures.support, "answers": figures.predicted}
        for name, one in (("precision", figures.precision), ("recall", figures.recall), ("F1", figures.f1)):
            interval = with_interval(one, scale=1, digits=2, unit="")
            row[name] = f"{one.value:.2f}" + (f" ({interval})" if interval else "")
        rows.append(row)
    st.dataframe(rows, hide_index=True, key=f"classes {path}")
    for column, chart in zip(
        st.columns(2, gap="large"),
        (evaluation_plots.roc(report), evaluation_plots.precision_recall(report)),
        strict=True,
    ):
        with column:
            show_chart(chart, basis_of(chart, report), str(path))


def show_confidence(report: Report, path: Path) -> None:
    """Show whether its confidence is right."""
    left, right = st.columns([3, 2], gap="large")
    with left:
        chart = trust_plots.reliability(report)
        show_chart(chart, basis_of(chart, report), str(path))
    with right:
        st.markdown("**As figures**")
        st.caption("The smaller, the better. The temperature was fitted on validation pictures, never on these.")
        st.dataframe(trust_plots.reliability_table(report), hide_index=True, key=f"calibration {path}")


def show_people(report: Report, path: Path) -> None:
    """Show the model beside people."""
    found = report.agreement
    if found is None:
        return
    left, right = st.columns(2, gap="large")
    with left:
        chart = trust_plots.people(found)
        show_chart(chart, basis_of(chart, report), str(path))
        interval = with_interval(found.difference, unit="")
        st.caption(
            f"Model less rater: {100 * found.difference.value:+.1f} points ({interval}), "
            f"on the same pictures, {found.votes_per_picture:.1f} votes each. A rater gives one answer only; the model "
            "was taught by the votes of many."
        )
        rows = [
            {
                "distance to the votes of the others": name,
                "a single rater": f"{getattr(found.rater_distances, figure):.2f}",
                "the model": f"{getattr(found.model_distances, figure):.2f}",
            }
            for name, figure in (
                ("Kullback–Leibler, nats", "kullback_leibler"),
                ("Jensen–Shannon, 0 to 1", "jensen_shannon"),
            )
        ]
        st.dataframe(rows, hide_index=True, key=f"distances {path}")
    with right:
        chart = trust_plots.by_agreement(found)
        show_chart(chart, basis_of(chart, report), str(path))


def show_robustness(report: Report, path: Path) -> None:
    """Show how it fares on worse pictures."""
    if report.robustness is None:
        st.info(
            "This was not measured with the report. **Evaluate**, above, does it, and so does "
            "`scripts/evaluate.py --robustness`.",
            icon=":material/blur_on:",
        )
        return
    chart = trust_plots.robustness(report.robustness)
    show_chart(chart, basis_of(chart, report), str(path))


def show_lists(report: Report, path: Path) -> None:
    """Show the pictures that say most."""
    name = st.segmented_control(
        "List",
        list(LISTS),
        default="Worst mistakes",
        required=True,
        label_visibility="collapsed",
        key="evaluation_list",
    )
    find, reading = LISTS[name or "Worst mistakes"]
    st.caption(f"{reading} {report.basis}.")
    predictions = evaluation_at(path).predictions
    dataset: FaceDataset | None = pictures_of(report, dataset_path(path))
    show_pictures([("model", predictions)], find(predictions, 96), dataset, f"{path} {name}")
