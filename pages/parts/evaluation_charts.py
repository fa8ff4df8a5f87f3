"""The charts of a report, each with how to read it."""

from pathlib import Path
from typing import Any

import streamlit as st

from fer.charts import evaluation as evaluation_plots
from fer.charts import trust as trust_plots
from fer.charts.chart import Chart, color_whiskers
from fer.evaluation.report import Report
from fer.reports.evaluation import PLOT_CONFIG, basis_of
from fer.reports.rendering import between
from pages.parts.evaluation_reports import introduce


def show_chart(chart: Chart, basis: str, key: str) -> None:
    """Show a chart with how to read it, and the rule and n that its figures are of."""
    introduce(chart.title, chart.reading, basis)
    figure = color_whiskers(chart.figure, "#E8ECF1" if st.context.theme.type == "dark" else "#1B222C")
    saving = {"toImageButtonOptions": {"filename": chart.name, "scale": 2}}  # of the camera, which makes a PNG
    st.plotly_chart(figure, config=PLOT_CONFIG | saving, key=f"{chart.name} {key}")


def show_expressions(report: Report, path: Path) -> None:
    """Show how each expression fares."""
    chart = evaluation_plots.classes(report)
    show_chart(chart, basis_of(chart, report), str(path))
    rows = []
    for label, figures in report.per_class.items():
        row: dict[str, Any] = {"expression": label, "pictures": figures.support, "answers": figures.predicted}
        for name, one in (("precision", figures.precision), ("recall", figures.recall), ("F1", figures.f1)):
            interval = between(one, scale=1, digits=2, unit="")
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
        st.table(trust_plots.reliability_table(report), border="horizontal", hide_index=True)


def show_people(report: Report, path: Path) -> None:
    """Show the model beside people."""
    found = report.agreement
    if found is None:
        return
    left, right = st.columns(2, gap="large")
    with left:
        chart = trust_plots.people(found)
        show_chart(chart, basis_of(chart, report), str(path))
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
    with right:
        chart = trust_plots.by_agreement(found)
        show_chart(chart, basis_of(chart, report), str(path))


def show_robustness(report: Report, path: Path) -> None:
    """Show how it fares on worse pictures."""
    if report.robustness is None:
        st.info(
            "This was not measured with the report. **Evaluate**, above, does it, and so does "
            "`fer-studio evaluate --robustness`.",
            icon=":material/blur_on:",
        )
        return
    chart = trust_plots.robustness(report.robustness)
    show_chart(chart, basis_of(chart, report), str(path))
