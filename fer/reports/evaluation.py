"""A report's main figures, and the whole report as one HTML page that works offline."""

from collections.abc import Sequence
from importlib.resources import files

import plotly.graph_objects as go

from fer.charts import evaluation as plots
from fer.charts.chart import Chart
from fer.evaluation.figures import ClassFigures, Estimate
from fer.evaluation.report import Report
from fer.faces import percent
from fer.reports.rendering import between, render

PLOT_CONFIG = {
    "displaylogo": False,
    "modeBarButtons": [["toImage"]],
    "responsive": True,
    "toImageButtonOptions": {"format": "svg"},
}
"""Plotly's toolbar above a figure: only the button that saves it as SVG."""
FEW = 10
"""Expressions with fewer pictures are not considered the best or the worst."""
SURE = 0.9


def headline(report: Report) -> list[tuple[str, str, str, str]]:
    """Return the main figures: (name, value, interval, rule and n)."""
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
        share("Top-2 accuracy", report.top_two_accuracy),
        ("Calibration error", percent(error, 1), f"{percent(before, 1)} before calibration", short),
    ]


def at_a_glance(report: Report) -> list[tuple[str, str, str, str]]:
    """Return the three figures that matter most to people, in the form of `headline`."""
    short = f"rule {report.data.rule}, n = {report.n:,}"
    found = report.agreement
    if found:
        points, same = f"{100 * found.difference.value:+.1f} points", f"rule {report.data.rule}, n = {found.n:,}"
        beside = ("Compared with a person", points, between(found.difference, unit=""), same)
    else:
        two = report.top_two_accuracy
        beside = ("Top-2 accuracy", percent(two.value, 1), between(two), short)
    label, worst = _best_and_worst(report)[1]
    hardest = (f"Hardest: {label}", percent(worst.recall.value), between(worst.recall), f"n = {worst.support:,}")
    return [("Accuracy", percent(report.accuracy.value, 1), between(report.accuracy), short), beside, hardest]


def in_a_sentence(report: Report) -> str:
    """Summarize in a sentence how good the model is."""
    (best, good), (worst, bad) = _best_and_worst(report)
    row = list(report.confusion[report.labels.index(worst)])
    row[report.labels.index(worst)] = -1
    taken = f", which it mostly confuses with {report.labels[row.index(max(row))]}" if max(row) > 0 else ""
    said = f"Of 100 faces it reads {100 * report.accuracy.value:.0f} correctly"
    if bad.recall.value < good.recall.value:
        said += (
            f"; it is best at {best} ({percent(good.recall.value)}) and worst at {worst} "
            f"({percent(bad.recall.value)}){taken}"
        )
    bins = [bin for bin in report.calibration.bins if bin.low >= SURE - 1e-9 and bin.n and bin.accuracy is not None]
    sure = sum(bin.n for bin in bins)
    if not sure:
        return f"{said}."
    right = sum(bin.n * (bin.accuracy or 0) for bin in bins) / sure
    return (
        f"{said}; with a confidence of at least {percent(bins[0].low)}, {percent(right)} of its readings are correct."
    )


def _best_and_worst(report: Report) -> list[tuple[str, ClassFigures]]:
    """Return the labels with the highest and lowest recall, among those with at least `FEW` pictures, if any."""
    shown = {label: one for label, one in report.per_class.items() if one.support}
    enough = {label: one for label, one in shown.items() if one.support >= FEW} or shown
    ranked = sorted(enough.items(), key=lambda item: -item[1].recall.value)
    return [ranked[0], ranked[-1]]


def cards(figures: Sequence[tuple[str, str, str, str]]) -> str:
    """Return figures as HTML, for any page, with as many side by side as fit."""
    return render("headline.html", figures=figures)


def report_charts(report: Report) -> list[Chart]:
    """Return all charts that a report has data for."""
    kinds = (plots.confusion, plots.classes, plots.roc, plots.precision_recall, plots.reliability)
    made = [kind(report) for kind in kinds]
    if report.agreement:
        made += [plots.people(report.agreement), plots.by_agreement(report.agreement)]
    return [*made, plots.robustness(report.robustness)] if report.robustness else made


def basis_of(chart: Chart, report: Report) -> str:
    """Return the rule and the n of a chart's figures: some have pictures of their own."""
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
    """Return one chart as a self-contained HTML page."""
    return _html(chart, whole=True)


def _html(chart: Chart, whole: bool) -> str:
    """Return a figure without a background, for light and dark pages."""
    clear = {"paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)"}
    grid = {"gridcolor": "rgba(128,135,146,.25)", "automargin": True}
    figure = go.Figure(chart.figure).update_layout(template="plotly_white", **clear)
    figure.update_xaxes(**grid).update_yaxes(**grid)
    return str(figure.to_html(include_plotlyjs=whole, full_html=whole, config=PLOT_CONFIG))
