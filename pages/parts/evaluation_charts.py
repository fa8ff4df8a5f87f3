"""The charts of a report, each with how to read it."""

from pathlib import Path
from typing import Any

import streamlit as st

from fer.charts import evaluation as evaluation_plots
from fer.charts.chart import Chart, color_whiskers
from fer.evaluation.report import Report
from fer.reports.evaluation import PLOT_CONFIG, basis_of
from fer.reports.rendering import between
from pages.parts.widgets import introduce


def show_chart(chart: Chart, basis: str, key: object) -> None:
    """Show a chart with how to read it, and the rule and n that its figures are of."""
    introduce(chart.title, f"{chart.reading} {basis[:1].upper()}{basis[1:]}.")
    figure = color_whiskers(chart.figure, "#E8ECF1" if st.context.theme.type == "dark" else "#1B222C")
    saving = {"toImageButtonOptions": {"filename": chart.name, "scale": 2}}  # of the camera, which makes a PNG
    st.plotly_chart(figure, config=PLOT_CONFIG | saving, key=f"{chart.name} {key}")


def show_charts(charts: list[Chart], report: Report, path: Path) -> None:
    """Show charts of a report beside each other."""
    for column, chart in zip(st.columns(len(charts), gap="large"), charts, strict=True):
        with column:
            show_chart(chart, basis_of(chart, report), path)


def show_expressions(report: Report, path: Path) -> None:
    """Show how each expression fares."""
    show_charts([evaluation_plots.classes(report)], report, path)
    rows = []
    for label, figures in report.per_class.items():
        row: dict[str, Any] = {"expression": label, "pictures": figures.support, "answers": figures.predicted}
        for name, one in (("precision", figures.precision), ("recall", figures.recall), ("F1", figures.f1)):
            interval = between(one, scale=1, digits=2, unit="")
            row[name] = f"{one.value:.2f}" + (f" ({interval})" if interval else "")
        rows.append(row)
    st.dataframe(rows, hide_index=True, key=f"classes {path}")
    show_charts([evaluation_plots.roc(report), evaluation_plots.precision_recall(report)], report, path)


def show_confidence(report: Report, path: Path) -> None:
    """Show whether its confidence is right."""
    left, right = st.columns([3, 2], gap="large")
    with left:
        show_charts([evaluation_plots.reliability(report)], report, path)
    with right:
        introduce(
            "As figures", "The smaller, the better. The temperature was fitted on validation pictures, never on these."
        )
        st.table(evaluation_plots.reliability_table(report), border="horizontal", hide_index=True)


def show_people(report: Report, path: Path) -> None:
    """Show the model beside people."""
    found = report.agreement
    if found is None:
        return
    left, right = st.columns(2, gap="large")
    with right:
        show_charts([evaluation_plots.by_agreement(found)], report, path)
    with left:
        show_charts([evaluation_plots.people(found)], report, path)
        interval = between(found.difference, unit="")
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
        st.table(rows, border="horizontal", hide_index=True)


def show_robustness(report: Report, path: Path) -> None:
    """Show how it fares on worse pictures."""
    if report.robustness:
        show_charts([evaluation_plots.robustness(report.robustness)], report, path)
    else:
        st.info(
            "This was not measured with the report. **Evaluate**, above, does it, and so does "
            "`fer-studio evaluate --robustness`.",
            icon=":material/blur_on:",
        )
