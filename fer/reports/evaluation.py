"""A report's headline figures, and all of it as one HTML page that opens without a server and the internet."""

from importlib.resources import files

import plotly.graph_objects as go

from fer.charts import evaluation as plots
from fer.charts.chart import Chart
from fer.evaluation.figures import Estimate
from fer.evaluation.report import Report
from fer.faces import percent
from fer.reports.rendering import between, render

PLOT_CONFIG = {"displaylogo": False, "modeBarButtons": [["toImage"]], "responsive": True}
"""Plotly's bar above a figure: only the button that saves it as PNG."""


def headline(report: Report) -> list[tuple[str, str, str, str]]:
    """Return the most important figures: (name, value, interval, rule and n)."""
    short = f"rule {report.data.rule}, n = {report.n:,}"

    def share(name: str, estimate: Estimate, basis: str = short) -> tuple[str, str, str, str]:
        return name, percent(estimate.value, 1), between(estimate), basis

    figures = [share("Accuracy", report.accuracy)]
    if report.agreement:
        same = f"rule {report.data.rule}, n = {report.agreement.n:,}"
        figures += [
            share("Model agrees with raters", report.agreement.model, same),
            share("A rater agrees with raters", report.agreement.rater, same),
        ]
    error, before = (found.expected_calibration_error for found in (report.calibration, report.before))
    macro_f1 = report.macro_f1
    return [
        *figures,
        share("Balanced accuracy", report.balanced_accuracy),
        ("Macro F1", f"{macro_f1.value:.2f}", between(macro_f1, scale=1, digits=2, unit=""), short),
        share("Right with two guesses", report.top_two_accuracy),
        ("Calibration error", percent(error, 1), f"{percent(before, 1)} before temperature", short),
    ]


def headline_cards(report: Report) -> str:
    """Return the most important figures as HTML, for any page: as many beside each other as there is room for."""
    return render("headline.html", figures=headline(report))


def report_charts(report: Report) -> list[Chart]:
    """Return all charts that a report has something for."""
    kinds = (plots.confusion, plots.classes, plots.roc, plots.precision_recall, plots.reliability)
    made = [kind(report) for kind in kinds]
    if report.agreement:
        made += [plots.people(report.agreement), plots.by_agreement(report.agreement)]
    return [*made, plots.robustness(report.robustness)] if report.robustness else made


def basis_of(chart: Chart, report: Report) -> str:
    """Return the rule and the n that stand beside a chart's figures: some have pictures of their own."""
    part = {
        "people": report.agreement,
        "by-agreement": report.agreement,
        "robustness": report.robustness,
    }.get(chart.name, report)
    return report.data.rule_and_n(part.n if part else report.n)


def html_report(report: Report) -> str:
    """Return the whole page."""
    plotly_js = (files("plotly") / "package_data" / "plotly.min.js").read_text(encoding="utf-8")
    charts = [(chart, basis_of(chart, report), _html(chart, whole=False)) for chart in report_charts(report)]
    return render("evaluation.html", report=report, figures=headline(report), charts=charts, plotly_js=plotly_js)


def html_chart(chart: Chart) -> str:
    """Return one chart as an HTML page of its own."""
    return _html(chart, whole=True)


def _html(chart: Chart, whole: bool) -> str:
    """Return a figure without a background, so that it fits a light page and a dark one."""
    clear = {"paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)"}
    grid = {"gridcolor": "rgba(128,135,146,.25)", "automargin": True}
    figure = go.Figure(chart.figure).update_layout(template="plotly_white", **clear)
    figure.update_xaxes(**grid).update_yaxes(**grid)
    return str(figure.to_html(include_plotlyjs=whole, full_html=whole, config=PLOT_CONFIG))
